"""The official openai SDK's chat completions to a provider that speaks Anthropic's Messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.e2e.deployment import PROVIDER_KEY
from tests.fakes.scripted_content import UPSTREAM_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai.types.chat import ChatCompletion, ChatCompletionFunctionToolParam
    from openai.types.chat import ChatCompletionMessageParam as Said

    from tests.e2e.deployment import Deployment, Holder
    from tests.fakes.anthropic_upstream import FakeAnthropic

HELLO: list[Said] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Grüezi!"},
]
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


class Weather(BaseModel):
    city: str
    degrees: int


def _tool(name: str) -> ChatCompletionFunctionToolParam:
    parameters: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


@pytest.fixture(scope="module")
def client(served: Deployment, holder: Holder) -> Iterator[OpenAI]:
    """On its default settings, two silent retries among them."""
    with OpenAI(api_key=holder.key, base_url=f"{served.gateway.url}/v1") as made:
        yield made


def _created(client: OpenAI, **asked: Any) -> ChatCompletion:
    completion: ChatCompletion = client.chat.completions.create(**{"messages": HELLO, **asked})
    return completion


def test_a_completion_comes_back_in_openais_shape_and_is_charged_for_what_the_provider_counted(
    served: Deployment, client: OpenAI, holder: Holder, anthropic_upstream: FakeAnthropic
) -> None:
    model = served.model("anthropic", "exact-100+cached-40+cachewrite-20+words-3")
    completion = _created(client, model=model, max_tokens=30, stop=["§"])
    choice = completion.choices[0]
    assert (choice.message.content, choice.finish_reason) == ("w0 w1 w2", "stop")
    assert completion.object == "chat.completion"
    used = completion.usage
    assert used is not None
    assert (used.prompt_tokens, used.completion_tokens, used.total_tokens) == (100, 3, 103)
    assert used.prompt_tokens_details is not None
    assert used.prompt_tokens_details.cached_tokens == 40
    got = anthropic_upstream.last
    assert got.headers["x-api-key"] == PROVIDER_KEY
    assert got.headers["anthropic-version"]
    assert got.json()["max_tokens"] == 30
    assert got.json()["stop_sequences"] == ["§"]
    assert "Be brief." in json.dumps(got.json()["system"])
    newest = served.usage(holder)[0]
    assert (newest["endpoint"], newest["total_tokens"]) == ("/v1/chat/completions", 103)


def test_a_stream_is_one_of_chunks_that_ends_with_usage_for_whoever_asked(
    served: Deployment, client: OpenAI
) -> None:
    model = served.model("anthropic", "exact-12")
    with client.chat.completions.create(
        model=model,
        messages=HELLO,
        max_tokens=4,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        *chunks, last = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text.strip() == "w0 w1 w2 w3"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert last.choices == []
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (12, 4)
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_of_somebody_who_did_not_ask_for_usage_has_a_choice_in_every_chunk(
    served: Deployment, client: OpenAI, holder: Holder
) -> None:
    model = served.model("anthropic", "exact-12")
    with client.chat.completions.create(
        model=model, messages=HELLO, max_tokens=4, stream=True
    ) as stream:
        assert all(chunk.choices for chunk in stream)
    assert served.usage(holder)[0]["total_tokens"] == 16


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_tools_are_called_in_parallel_and_their_results_answered(
    served: Deployment, client: OpenAI, anthropic_upstream: FakeAnthropic, *, stream: bool
) -> None:
    model = served.model("anthropic", "tools")
    asked: dict[str, Any] = {"model": model, "tools": [_tool("weather"), _tool("time")]}
    if stream:
        with client.chat.completions.stream(messages=HELLO, **asked) as events:
            completion: ChatCompletion = events.get_final_completion()
    else:
        completion = _created(client, **asked, tool_choice="auto", parallel_tool_calls=True)
    choice = completion.choices[0]
    assert choice.finish_reason == "tool_calls"
    calls = [call for call in choice.message.tool_calls or () if call.type == "function"]
    assert [call.function.name for call in calls] == ["weather", "time"]
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Zürich"}] * 2
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"{call.function.name}: 7"}
        for call in calls
    ]
    said: list[Any] = [*HELLO, choice.message.to_dict(), *results]
    answered = _created(client, **{**asked, "messages": said})
    assert (answered.choices[0].message.content or "").startswith("w0 w1")
    *_, assistant, user = anthropic_upstream.last.json()["messages"]
    used = [block["id"] for block in assistant["content"] if block["type"] == "tool_use"]
    assert [block["tool_use_id"] for block in user["content"]] == used == [one.id for one in calls]


def test_reasoning_is_told_apart_from_the_answer(served: Deployment, client: OpenAI) -> None:
    model = served.model("anthropic", "thinks-3+words-5")
    completion = _created(client, model=model, max_tokens=4_000, reasoning_effort="low")
    message = completion.choices[0].message
    assert message.content == "w0 w1 w2 w3 w4"
    assert (message.model_extra or {})["reasoning_content"] == "t0 t1 t2 "
    assert completion.usage is not None
    assert completion.usage.completion_tokens_details is not None
    assert completion.usage.completion_tokens_details.reasoning_tokens == 3


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_answer_in_a_schema_is_parsed(served: Deployment, client: OpenAI, provider: str) -> None:
    completion = client.chat.completions.parse(
        model=served.model(provider), messages=HELLO, response_format=Weather
    )
    assert completion.choices[0].message.parsed == Weather(city="Zürich", degrees=7)


def test_pictures_are_sent_on(
    served: Deployment, client: OpenAI, anthropic_upstream: FakeAnthropic
) -> None:
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    said = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, picture]}]
    model = served.model("anthropic", "windowed", context_window_tokens=100_000)
    _created(client, model=model, messages=said, max_tokens=2)
    blocks = anthropic_upstream.last.json()["messages"][0]["content"]
    (image,) = (block for block in blocks if block["type"] == "image")
    assert image["source"] == {"type": "base64", "media_type": "image/png", "data": PIXEL}


@pytest.mark.parametrize(
    ("field", "value"), [("n", 2), ("logprobs", True), ("logit_bias", {"5": 1})]
)
def test_what_messages_cannot_say_is_refused_by_the_fields_name(
    served: Deployment,
    client: OpenAI,
    anthropic_upstream: FakeAnthropic,
    field: str,
    value: object,
) -> None:
    before = len(anthropic_upstream.requests)
    with pytest.raises(openai.BadRequestError) as caught:
        _created(client, model=served.model("anthropic"), **{field: value})
    assert (caught.value.param, caught.value.code) == (field, "untranslatable")
    assert field in str(caught.value)
    assert len(anthropic_upstream.requests) == before


ERRORS: Mapping[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    529: openai.InternalServerError,
}


@pytest.mark.parametrize("status", ERRORS)
def test_a_providers_errors_are_the_sdks_own_and_cost_nothing(
    served: Deployment, client: OpenAI, holder: Holder, status: int
) -> None:
    model = served.model("anthropic", f"error-{status}+retryafter-0.05")
    with pytest.raises(ERRORS[status]) as caught:
        _created(client.with_options(max_retries=0), model=model)
    assert caught.value.status_code == (status if status < 500 else 502)
    body: Any = caught.value.body
    assert set(body) >= {"message", "type", "code"}
    if status == 429:
        assert caught.value.response.headers["retry-after"] == "0.05"
    if status in (401, 500, 529):
        assert UPSTREAM_SECRET not in caught.value.response.text
    row = served.usage(holder)[0]
    assert (row["status"], row["cost"]) == ("error", 0)


@pytest.mark.parametrize("fault", ["rst-5", "fin-5", "errorevent-5", "nodone"])
def test_half_a_stream_raises_after_what_came(
    served: Deployment, client: OpenAI, holder: Holder, fault: str
) -> None:
    model = served.model("anthropic", f"{fault}+slow-0.01")
    texts: list[str] = []
    stream = client.chat.completions.create(model=model, messages=HELLO, max_tokens=9, stream=True)
    with stream, pytest.raises(openai.APIError) as caught:
        texts.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    assert "".join(texts).startswith("w0")
    assert not isinstance(caught.value, openai.APIStatusError)
    assert UPSTREAM_SECRET not in str(caught.value)
    row = served.usage(holder)[0]
    assert row["status"] == "error"
    assert row["cost"] > 0


async def test_a_caller_who_leaves_cancels_the_provider_and_pays(
    served: Deployment, anthropic_upstream: FakeAnthropic
) -> None:
    leaver = served.holder("1")
    model = served.model("anthropic", "slow-0.1")
    url = f"{served.gateway.url}/v1"
    async with AsyncOpenAI(api_key=leaver.key, base_url=url) as client:
        stream = await client.chat.completions.create(
            model=model, messages=HELLO, max_tokens=50, stream=True
        )
        await anext(aiter(stream))
        await stream.close()
    assert await anthropic_upstream.until(lambda: anthropic_upstream.last.disconnected)
    assert await anthropic_upstream.until(lambda: served.usage(leaver) != [])
    assert await anthropic_upstream.until(lambda: served.account(leaver).holds == ())
    assert served.usage(leaver)[0]["cost"] > 0
    served.check_closed(leaver)
