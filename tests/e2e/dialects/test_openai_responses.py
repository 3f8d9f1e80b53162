"""The official openai SDK's responses: to a provider that has them, over chat, and over Messages.

The first gets every byte as it was sent, the others a translation of one hop and of two.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.e2e.deployment import PROVIDER_KEY
from tests.fakes.scripted_content import CUSTOM_INPUT, UPSTREAM_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai.types.responses import Response

    from tests.e2e.deployment import Deployment, Holder
    from tests.fakes.openai_upstream import FakeOpenAI

EVERYWHERE = pytest.mark.parametrize("provider", ["openai", "cerebras", "anthropic"])
TRANSLATED = pytest.mark.parametrize("provider", ["cerebras", "anthropic"])
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


class Weather(BaseModel):
    city: str
    degrees: int


def _tool(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name, "parameters": SCHEMA, "strict": False}


@pytest.fixture(scope="module")
def client(served: Deployment, holder: Holder) -> Iterator[OpenAI]:
    """On its default settings, two silent retries among them."""
    with OpenAI(api_key=holder.key, base_url=f"{served.gateway.url}/v1") as made:
        yield made


def _created(client: OpenAI, **asked: Any) -> Response:
    response: Response = client.responses.create(**{"input": "Grüezi!", **asked})
    return response


def _streamed(client: OpenAI, **asked: Any) -> Response:
    with client.responses.stream(**{"input": "Grüezi!", **asked}) as stream:
        response: Response = stream.get_final_response()
    return response


@EVERYWHERE
def test_a_response_comes_back_with_its_text_its_usage_and_the_requests_id(
    served: Deployment, client: OpenAI, holder: Holder, provider: str
) -> None:
    model = served.model(provider, "exact-12")
    response = _created(client, model=model, instructions="Be brief.", max_output_tokens=3)
    assert (response.object, response.status) == ("response", "completed")
    assert response.output_text == "w0 w1 w2"
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (12, 3)
    newest = served.usage(holder)[0]
    assert newest["id"] == response._request_id
    assert (newest["endpoint"], newest["total_tokens"]) == ("/v1/responses", 15)


@EVERYWHERE
def test_a_stream_is_numbered_and_ends_with_all_that_came(
    served: Deployment, client: OpenAI, provider: str
) -> None:
    model = served.model(provider, "exact-12")
    with client.responses.stream(model=model, input="Grüezi!", max_output_tokens=4) as stream:
        events: list[Any] = list(stream)
        response = stream.get_final_response()
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert kinds.count("response.output_text.delta") >= 4
    assert response.output_text.strip() == "w0 w1 w2 w3"
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (12, 4)


@EVERYWHERE
@pytest.mark.parametrize("ask", [_created, _streamed], ids=["plain", "streamed"])
def test_functions_are_called_in_parallel_and_their_results_answered(
    served: Deployment, client: OpenAI, provider: str, ask: Any
) -> None:
    model = served.model(provider, "tools")
    asked = {"model": model, "tools": [_tool("weather"), _tool("time")]}
    response = ask(client, **asked)
    calls = [item for item in response.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["weather", "time"]
    assert [json.loads(call.arguments) for call in calls] == [{"city": "Zürich"}] * 2
    said: list[Any] = [{"role": "user", "content": "Grüezi!"}]
    said += [item.to_dict() for item in response.output]
    said += [
        {"type": "function_call_output", "call_id": call.call_id, "output": "7"} for call in calls
    ]
    answered = ask(client, **asked, input=said, store=False)
    assert answered.output_text.startswith("w0 w1")


@EVERYWHERE
@pytest.mark.parametrize("ask", [_created, _streamed], ids=["plain", "streamed"])
def test_a_custom_tool_is_called_with_a_text(
    served: Deployment, client: OpenAI, provider: str, ask: Any
) -> None:
    tools = [{"type": "custom", "name": "patch", "description": "Takes a patch."}]
    response = ask(client, model=served.model(provider, "tools"), tools=tools)
    (call,) = (item for item in response.output if item.type == "custom_tool_call")
    assert (call.name, call.input) == ("patch", CUSTOM_INPUT)


@EVERYWHERE
@pytest.mark.parametrize("ask", [_created, _streamed], ids=["plain", "streamed"])
def test_reasoning_is_an_item_of_its_own(
    served: Deployment, client: OpenAI, provider: str, ask: Any
) -> None:
    response = ask(
        client,
        model=served.model(provider, "thinks-3+words-5"),
        max_output_tokens=4_000,
        reasoning={"effort": "low", "summary": "auto"},
        include=["reasoning.encrypted_content"],
        store=False,
    )
    reasoning, message = response.output
    assert (reasoning.type, message.type) == ("reasoning", "message")
    told = json.dumps(reasoning.to_dict())
    assert "t0 t1 t2" in told
    assert response.output_text.strip() == "w0 w1 w2 w3 w4"


@EVERYWHERE
def test_an_answer_in_a_schema_is_parsed(served: Deployment, client: OpenAI, provider: str) -> None:
    response = client.responses.parse(
        model=served.model(provider), input="Grüezi!", text_format=Weather
    )
    assert response.output_parsed == Weather(city="Zürich", degrees=7)


def test_the_native_provider_gets_the_bytes_and_its_own_fields_come_back(
    served: Deployment, client: OpenAI, holder: Holder, upstream: FakeOpenAI
) -> None:
    unknown = {"x_future": {"deep": [1.10, None, "ü"]}}
    response = _created(client, model=served.model("openai"), extra_body=unknown)
    got = upstream.last
    assert got.route == "/v1/responses"
    assert b'"x_future":{"deep":[1.1,null,"\xc3\xbc"]}' in got.body
    assert (response.model_extra or {})["x_fake"] == {"kept": True}
    assert got.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert holder.key not in str(got.headers)


@TRANSLATED
@pytest.mark.parametrize(
    ("field", "value"),
    [("previous_response_id", "resp_1"), ("conversation", "conv_1"), ("truncation", "auto")],
)
def test_what_chat_cannot_say_is_refused_by_the_fields_name(
    served: Deployment, client: OpenAI, provider: str, field: str, value: object
) -> None:
    model = served.model(provider, "windowed", context_window_tokens=100_000)
    with pytest.raises(openai.BadRequestError) as caught:
        _created(client, model=model, **{field: value})
    assert caught.value.param == field
    assert field in str(caught.value)


ERRORS: Mapping[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
}


@EVERYWHERE
@pytest.mark.parametrize("status", ERRORS)
def test_a_providers_errors_are_the_sdks_own_and_cost_nothing(
    served: Deployment, client: OpenAI, holder: Holder, provider: str, status: int
) -> None:
    model = served.model(provider, f"error-{status}+retryafter-0.05")
    with pytest.raises(ERRORS[status]) as caught:
        _created(client.with_options(max_retries=0), model=model)
    assert caught.value.status_code == (status if status < 500 else 502)
    if status in (401, 500):
        assert UPSTREAM_SECRET not in caught.value.response.text
    row = served.usage(holder)[0]
    assert (row["status"], row["cost"]) == ("error", 0)


@EVERYWHERE
@pytest.mark.parametrize("fault", ["rst-6", "fin-6", "errorevent-6", "nodone"])
def test_half_a_stream_is_not_a_whole_one(
    served: Deployment, client: OpenAI, holder: Holder, provider: str, fault: str
) -> None:
    """The SDK raises, or tells of the error as an event, and never of a completed response."""
    model = served.model(provider, f"{fault}+slow-0.01")
    kinds: list[str] = []
    said = ""
    try:
        with client.responses.create(
            model=model, input="Grüezi!", max_output_tokens=9, stream=True
        ) as stream:
            for event in stream:
                kinds.append(event.type)
                said += event.to_json()
    except openai.APIError as error:
        kinds.append("error")
        said += str(error)
    assert kinds[0] == "response.created"
    assert "response.completed" not in kinds
    assert kinds[-1] in ("error", "response.failed")
    assert UPSTREAM_SECRET not in said
    row = served.usage(holder)[0]
    assert row["status"] == "error"
    assert row["cost"] > 0


async def test_the_async_client_creates_and_streams(served: Deployment, holder: Holder) -> None:
    url = f"{served.gateway.url}/v1"
    async with AsyncOpenAI(api_key=holder.key, base_url=url) as client:
        for provider in ("openai", "cerebras", "anthropic"):
            asked: dict[str, Any] = {"model": served.model(provider), "max_output_tokens": 2}
            response = await client.responses.create(**asked, input="Grüezi!")
            assert response.output_text == "w0 w1"
            async with client.responses.stream(**asked, input="Grüezi!") as stream:
                streamed = await stream.get_final_response()
            assert streamed.output_text.strip() == "w0 w1"
