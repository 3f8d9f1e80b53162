"""The official anthropic SDK, unmodified, to a provider with its own API and to one with OpenAI's.

The first gets every byte as it was sent, the second a translation.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from pydantic import BaseModel

from tests.e2e.deployment import PROVIDER_KEY
from tests.fakes.scripted_content import UPSTREAM_SECRET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from anthropic.types import Message, MessageParam, ToolParam

    from tests.e2e.deployment import Deployment, Holder
    from tests.fakes.anthropic_upstream import FakeAnthropic
    from tests.fakes.openai_upstream import FakeOpenAI

HELLO: list[MessageParam] = [{"role": "user", "content": "Grüezi!"}]
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
BOTH = pytest.mark.parametrize("provider", ["anthropic", "openai"])


class Weather(BaseModel):
    city: str
    degrees: int


def _tool(name: str) -> ToolParam:
    return {"name": name, "description": f"Tells the {name}.", "input_schema": SCHEMA}


@pytest.fixture(scope="module")
def client(served: Deployment, holder: Holder) -> Iterator[Anthropic]:
    """On its default settings, two silent retries among them."""
    with Anthropic(api_key=holder.key, base_url=served.gateway.url) as made:
        yield made


@pytest.fixture
async def async_client(served: Deployment, holder: Holder) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(api_key=holder.key, base_url=served.gateway.url) as made:
        yield made


def _created(client: Anthropic, **asked: Any) -> Message:
    message: Message = client.messages.create(**asked)
    return message


def _text(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@BOTH
def test_a_message_comes_back_with_its_text_its_usage_and_the_requests_id(
    served: Deployment, client: Anthropic, holder: Holder, provider: str
) -> None:
    model = served.model(provider, "exact-12")
    message = client.messages.create(
        model=model, system="Be brief.", messages=HELLO, max_tokens=3, stop_sequences=["§"]
    )
    assert _text(message) == "w0 w1 w2"
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (12, 3)
    newest = served.usage(holder)[0]
    assert newest["id"] == message._request_id
    assert (newest["endpoint"], newest["total_tokens"]) == ("/v1/messages", 15)


@BOTH
def test_a_stream_is_one_that_the_sdk_assembles(
    served: Deployment, client: Anthropic, provider: str
) -> None:
    model = served.model(provider, "exact-12+slow-0.005")
    with client.messages.stream(model=model, messages=HELLO, max_tokens=4) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert "".join(pieces).strip() == "w0 w1 w2 w3"
    assert len(pieces) > 1
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (12, 4)


@BOTH
def test_a_streams_events_come_in_anthropics_order_and_end_with_its_own_last_one(
    served: Deployment, client: Anthropic, provider: str
) -> None:
    model = served.model(provider)
    with client.messages.create(model=model, messages=HELLO, max_tokens=2, stream=True) as stream:
        kinds = [event.type for event in stream]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert set(kinds[2:-3]) == {"content_block_delta"}
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]


@BOTH
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_tools_are_called_in_parallel_and_their_results_answered(
    served: Deployment, client: Anthropic, provider: str, *, stream: bool
) -> None:
    model = served.model(provider, "tools")
    tools = [_tool("weather"), _tool("time")]
    asked: dict[str, Any] = {"model": model, "max_tokens": 50, "tools": tools}
    if stream:
        with client.messages.stream(**asked, messages=HELLO) as events:
            message: Message = events.get_final_message()
    else:
        message = _created(client, **asked, messages=HELLO)
    calls = [block for block in message.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [
        ("weather", {"city": "Zürich"}),
        ("time", {"city": "Zürich"}),
    ]
    assert len({call.id for call in calls}) == 2
    assert message.stop_reason == "tool_use"
    results: Any = [
        {"type": "tool_result", "tool_use_id": call.id, "content": f"{call.name}: 7"}
        for call in calls
    ]
    said = [*HELLO, message.to_param(), {"role": "user", "content": results}]
    answered = _created(client, **asked, messages=said)
    assert _text(answered).startswith("w0 w1")
    assert answered.stop_reason == "end_turn"


def test_results_of_tools_reach_a_provider_of_chat_under_their_calls_ids(
    served: Deployment, client: Anthropic, upstream: FakeOpenAI
) -> None:
    call: Any = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern"}}
    result: Any = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "7 degrees"}
    client.messages.create(
        model=served.model("openai", "tools"),
        max_tokens=5,
        tools=[_tool("weather")],
        messages=[
            *HELLO,
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ],
    )
    _, assistant, tool = upstream.last.json()["messages"]
    (called,) = assistant["tool_calls"]
    assert (called["id"], tool["tool_call_id"]) == ("toolu_1", "toolu_1")
    assert json.loads(called["function"]["arguments"]) == {"city": "Bern"}
    assert "7 degrees" in json.dumps(tool["content"])


@BOTH
def test_thinking_is_told_apart_from_the_answer(
    served: Deployment, client: Anthropic, provider: str
) -> None:
    asked: dict[str, Any] = {
        "model": served.model(provider, "thinks-3"),
        "messages": HELLO,
        "max_tokens": 2_000,
        "thinking": {"type": "adaptive"},
    }
    with client.messages.stream(**asked) as stream:
        streamed = stream.get_final_message()
    whole = _created(client, **asked)
    for message in (streamed, whole):
        thinking, text = (block.to_dict() for block in message.content)
        assert (thinking["type"], thinking["thinking"]) == ("thinking", "t0 t1 t2 ")
        assert text["type"] == "text"
        assert str(text["text"]).startswith("w0 w1 ")


def test_a_signature_of_thinking_comes_back_and_returns_as_it_was(
    served: Deployment, client: Anthropic, anthropic_upstream: FakeAnthropic
) -> None:
    model = served.model("anthropic", "thinks-3")
    message = client.messages.create(model=model, messages=HELLO, max_tokens=9)
    said = [*HELLO, message.to_param(), *HELLO]
    client.messages.create(model=model, messages=said, max_tokens=9)
    thinking = anthropic_upstream.last.json()["messages"][1]["content"][0]
    assert thinking["signature"] == message.content[0].to_dict()["signature"]


@BOTH
def test_an_answer_in_a_schema_is_parsed(
    served: Deployment, client: Anthropic, provider: str
) -> None:
    message = client.messages.parse(
        model=served.model(provider), messages=HELLO, max_tokens=50, output_format=Weather
    )
    assert message.parsed_output == Weather(city="Zürich", degrees=7)


@BOTH
def test_pictures_are_sent_on(
    served: Deployment,
    client: Anthropic,
    upstream: FakeOpenAI,
    anthropic_upstream: FakeAnthropic,
    provider: str,
) -> None:
    picture: Any = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
    }
    client.messages.create(
        model=served.model(provider, "windowed", context_window_tokens=100_000),
        messages=[{"role": "user", "content": [picture, {"type": "text", "text": "What is it?"}]}],
        max_tokens=2,
    )
    got = (anthropic_upstream if provider == "anthropic" else upstream).last
    assert PIXEL in json.dumps(got.json())


@BOTH
def test_tokens_are_counted_before_a_request_and_cost_nothing(
    served: Deployment, client: Anthropic, provider: str
) -> None:
    before = len(served.books.records())
    counted = client.messages.count_tokens(model=served.model(provider), messages=HELLO)
    assert counted.input_tokens >= 2
    assert len(served.books.records()) == before


def test_the_native_provider_gets_the_bytes_its_headers_and_none_of_the_callers_credentials(
    served: Deployment, client: Anthropic, holder: Holder, anthropic_upstream: FakeAnthropic
) -> None:
    unknown: Any = {"x_future": {"deep": [1.10, None, "ü"]}}
    message = client.beta.messages.create(
        model=served.model("anthropic"),
        messages=[{"role": "user", "content": "Grüezi!"}],
        max_tokens=3,
        betas=["interleaved-thinking-2025-05-14", "context-1m-2025-08-07"],
        extra_body=unknown,
    )
    got = anthropic_upstream.last
    assert got.json()["model"] == "fake"
    assert b'"x_future":{"deep":[1.1,null,"\xc3\xbc"]}' in got.body
    assert (message.model_extra or {})["x_fake"] == {"kept": True}
    assert got.headers["x-api-key"] == PROVIDER_KEY
    assert "authorization" not in got.headers
    betas = got.headers["anthropic-beta"].replace(" ", "").split(",")
    assert betas == ["interleaved-thinking-2025-05-14", "context-1m-2025-08-07"]
    assert got.headers["anthropic-version"]
    assert holder.key not in str(got.headers)
    assert not [name for name in got.headers if name.startswith("x-stainless")]


def test_a_key_in_anthropics_older_header_is_taken_too(served: Deployment, holder: Holder) -> None:
    url = served.gateway.url
    with Anthropic(auth_token="unused", base_url=url) as client:
        headers: Any = {"x-api-key": holder.key, "authorization": anthropic.omit}
        message = client.messages.create(
            model=served.model("anthropic"), messages=HELLO, max_tokens=2, extra_headers=headers
        )
    assert _text(message) == "w0 w1"


async def test_the_async_client_creates_and_streams(
    served: Deployment, async_client: AsyncAnthropic
) -> None:
    for provider in ("anthropic", "openai"):
        asked: dict[str, Any] = {"model": served.model(provider), "max_tokens": 2}
        message = await async_client.messages.create(**asked, messages=HELLO)
        assert _text(message) == "w0 w1"
        async with async_client.messages.stream(**asked, messages=HELLO) as stream:
            text = "".join([piece async for piece in stream.text_stream])
        assert text.strip() == "w0 w1"


def test_a_wrong_key_is_an_authentication_error_in_anthropics_shape(served: Deployment) -> None:
    with (
        Anthropic(api_key="gw-" + "x" * 64, base_url=served.gateway.url) as stranger,
        pytest.raises(anthropic.AuthenticationError) as caught,
    ):
        stranger.messages.create(model="anthropic:fake", messages=HELLO, max_tokens=1)
    body: Any = caught.value.body
    assert (body["type"], body["error"]["type"]) == ("error", "authentication_error")
    assert "Invalid API key" in str(caught.value)
    assert caught.value.request_id


def test_a_spent_budget_is_a_permission_error_and_reaches_no_provider(
    served: Deployment, anthropic_upstream: FakeAnthropic
) -> None:
    poor = served.holder("0.000001")
    model = served.model("anthropic")
    before = len(anthropic_upstream.requests)
    with (
        Anthropic(api_key=poor.key, base_url=served.gateway.url) as client,
        pytest.raises(anthropic.PermissionDeniedError) as caught,
    ):
        client.messages.create(model=model, messages=HELLO, max_tokens=10)
    assert f"User '{poor.user_id}' has exceeded budget limit" in str(caught.value)
    assert len(anthropic_upstream.requests) == before
    assert served.usage(poor) == []


ERRORS: Mapping[int, type[anthropic.APIStatusError]] = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
    529: anthropic.InternalServerError,
}


@BOTH
@pytest.mark.parametrize("status", ERRORS)
def test_a_providers_errors_are_the_sdks_own_and_cost_nothing(
    served: Deployment, client: Anthropic, holder: Holder, provider: str, status: int
) -> None:
    model = served.model(provider, f"error-{status}+retryafter-0.05")
    with pytest.raises(ERRORS[status]) as caught:
        client.with_options(max_retries=0).messages.create(
            model=model, messages=HELLO, max_tokens=5
        )
    body: Any = caught.value.body
    assert caught.value.status_code == (status if status < 500 else 502)
    assert body["type"] == "error"
    assert body["error"]["message"]
    if status in (401, 500, 529):
        assert UPSTREAM_SECRET not in caught.value.response.text
    row = served.usage(holder)[0]
    assert (row["status"], row["cost"]) == ("error", 0)


@BOTH
@pytest.mark.parametrize("fault", ["rst", "fin", "errorevent"])
def test_half_a_stream_raises_after_what_came(
    served: Deployment, client: Anthropic, holder: Holder, provider: str, fault: str
) -> None:
    model = served.model(provider, f"{fault}-5+slow-0.01")
    kinds: list[str] = []
    stream = client.messages.create(model=model, messages=HELLO, max_tokens=9, stream=True)
    with stream, pytest.raises(anthropic.APIStatusError) as caught:
        kinds.extend(event.type for event in stream)
    assert kinds[0] == "message_start"
    assert "content_block_delta" in kinds
    assert "message_stop" not in kinds
    assert UPSTREAM_SECRET not in str(caught.value)
    row = served.usage(holder)[0]
    assert row["status"] == "error"
    assert row["cost"] > 0


@BOTH
def test_a_stream_without_its_end_is_broken(
    served: Deployment, client: Anthropic, provider: str
) -> None:
    model = served.model(provider, "nodone")
    stream = client.messages.create(model=model, messages=HELLO, max_tokens=3, stream=True)
    with stream, pytest.raises(anthropic.APIStatusError):
        list(stream)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("container", "container_1"),
        ("mcp_servers", [{"type": "url", "name": "m", "url": "https://mcp.example"}]),
    ],
)
def test_what_chat_cannot_say_is_refused_by_the_fields_name(
    served: Deployment, client: Anthropic, upstream: FakeOpenAI, field: str, value: Any
) -> None:
    before = len(upstream.requests)
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(
            model=served.model("openai"),
            messages=HELLO,
            max_tokens=3,
            extra_body={field: value},
        )
    assert caught.value.status_code in (400, 402)
    assert field in str(caught.value)
    assert len(upstream.requests) == before
