"""The official openai SDK, unmodified, reads translated answers and streams as its own types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import pydantic
import pytest
from openai import OpenAI
from openai.types.responses import Response, ResponseStreamEvent

from bursar.dialects.passages import passage_to
from bursar.dialects.request import Terms
from bursar.dialects.responses_request import parse_responses
from bursar.dialects.translator import Asked
from tests.fakes.wire_files import wire_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.responses import FunctionToolParam, ToolParam

MODEL = "deepseek:deepseek-reasoner"
SHELL: FunctionToolParam = {
    "type": "function",
    "name": "shell_command",
    "description": "Runs a command.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"command": {"type": "string"}},
        "required": ["command"],
        "additionalProperties": False,
    },
}
TOOLS: list[ToolParam] = [
    SHELL,
    {"type": "custom", "name": "apply_patch"},
    {
        "type": "namespace",
        "name": "mcp__docs",
        "description": "Documents",
        "tools": [{"type": "function", "name": "search", "parameters": {"type": "object"}}],
    },
]
CASES = ["text", "tools", "length", "refusal", "json", "signed-calls", "details"]
EVENT: pydantic.TypeAdapter[ResponseStreamEvent] = pydantic.TypeAdapter(ResponseStreamEvent)


class City(pydantic.BaseModel):
    city: str
    people: int


class Gateway:
    """Answers the SDK as the gateway would, from what a provider of chat was recorded to say."""

    def __init__(self, case: str) -> None:
        self._case = case
        self.sent: dict[str, Any] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        asked = parse_responses(request.content)
        passage = passage_to(asked, ("chat",), Asked(str(asked.model), asked.wants_usage, 1))
        assert passage is not None
        self.sent = msgspec.json.decode(passage.body(Terms(asked.model.model)))
        if not asked.is_streamed:
            answer = wire_bytes(f"responses/over-chat/{self._case}.answer.json")
            return httpx2.Response(200, content=passage.whole(answer))
        reader = passage.stream()
        frames = reader.feed(wire_bytes(f"responses/over-chat/{self._case}.sse"))
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, content=frames + reader.last_words())


@pytest.fixture
def client(gateway: Gateway) -> Iterator[OpenAI]:
    transport = httpx2.MockTransport(gateway)
    with OpenAI(
        api_key="k", base_url="http://g/v1", http_client=httpx2.Client(transport=transport)
    ) as made:
        yield made


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Gateway:
    return Gateway(request.param)


@pytest.mark.parametrize("gateway", CASES, indirect=True)
def test_a_whole_answer_fits_the_sdks_types(client: OpenAI) -> None:
    response = client.responses.create(model=MODEL, input="hello", tools=TOOLS)
    # The SDK itself builds objects without validating them
    Response.model_validate(response.model_dump(by_alias=True, exclude_unset=True))


@pytest.mark.parametrize("gateway", CASES, indirect=True)
def test_every_event_fits_the_sdks_types_and_its_accumulator(client: OpenAI) -> None:
    with client.responses.stream(model=MODEL, input="hello", tools=TOOLS) as stream:
        accumulated = [event.response for event in stream if event.type == "response.completed"]
    for each in client.responses.create(model=MODEL, input="hello", tools=TOOLS, stream=True):
        EVENT.validate_python(each.model_dump(by_alias=True, exclude_unset=True))
        last = each
    # The SDK accumulates responses that are complete
    assert last.type == ("response.completed" if accumulated else "response.incomplete")
    assert all(each.output_text == last.response.output_text for each in accumulated)


@pytest.mark.parametrize("gateway", ["tools"], indirect=True)
def test_tools_are_called_with_their_arguments(client: OpenAI, gateway: Gateway) -> None:
    response = client.responses.create(
        model=MODEL, input="hello", tools=TOOLS, tool_choice="required", max_output_tokens=99
    )
    _, _, shell, patch, search = response.output
    assert shell.type == "function_call"
    assert msgspec.json.decode(shell.arguments) == {"command": "ls"}
    assert patch.type == "custom_tool_call"
    assert patch.input.startswith("*** Begin Patch")
    assert search.type == "function_call"
    assert (search.namespace, search.name) == ("mcp__docs", "search")
    assert gateway.sent["tool_choice"] == "required"
    assert gateway.sent["model"] == "deepseek-reasoner"
    assert 99 in gateway.sent.values()


@pytest.mark.parametrize("gateway", ["tools"], indirect=True)
def test_a_loop_of_tools_gives_the_output_back_as_it_came(client: OpenAI, gateway: Gateway) -> None:
    first = client.responses.create(model=MODEL, input="hello", tools=TOOLS)
    given: list[Any] = [{"role": "user", "content": "hello"}]
    given += [item.model_dump(exclude_unset=True) for item in first.output]
    given += [
        {"type": "function_call_output", "call_id": item.call_id, "output": "ok"}
        for item in first.output
        if item.type in ("function_call", "custom_tool_call")
    ]
    client.responses.create(model=MODEL, input=given, tools=TOOLS)
    answered = msgspec.json.decode(wire_bytes("responses/over-chat/tools.answer.json"))
    said = answered["choices"][0]["message"]
    repeated = gateway.sent["messages"][1]
    assert repeated["reasoning_content"] == said["reasoning_content"]
    assert repeated["content"] == said["content"]
    for call, was in zip(repeated["tool_calls"], said["tool_calls"], strict=True):
        assert (call["id"], call["function"]["name"]) == (was["id"], was["function"]["name"])
        assert msgspec.json.decode(call["function"]["arguments"]) == msgspec.json.decode(
            was["function"]["arguments"]
        )
    assert [message["role"] for message in gateway.sent["messages"][2:]] == ["tool"] * 3


@pytest.mark.parametrize("gateway", ["signed-calls"], indirect=True)
def test_a_signature_beside_a_call_comes_back_with_it(client: OpenAI, gateway: Gateway) -> None:
    with client.responses.stream(model=MODEL, input="hello", tools=[SHELL]) as stream:
        first = stream.get_final_response()
    given: list[Any] = [item.model_dump(exclude_unset=True) for item in first.output]
    for item in given:
        item.pop("parsed_arguments", None)  # the SDK's own
    client.responses.create(model=MODEL, input=given, tools=[SHELL])
    (message,) = gateway.sent["messages"]
    signed, unsigned = message["tool_calls"]
    assert signed["extra_content"] == {"google": {"thought_signature": "EsQDCsEDAb4+9vvK"}}
    assert "extra_content" not in unsigned


@pytest.mark.parametrize("gateway", ["json"], indirect=True)
def test_structured_output_is_asked_for_and_parsed(client: OpenAI, gateway: Gateway) -> None:
    response = client.responses.parse(model=MODEL, input="hello", text_format=City)
    assert response.output_parsed == City(city="Bern", people=134_000)
    schema = gateway.sent["response_format"]["json_schema"]
    assert (schema["name"], schema["strict"]) == ("City", True)
    with client.responses.stream(model=MODEL, input="hello", text_format=City) as stream:
        assert stream.get_final_response().output_parsed == City(city="Bern", people=134_000)


@pytest.mark.parametrize("gateway", ["text"], indirect=True)
def test_text_comes_in_pieces(client: OpenAI) -> None:
    events = client.responses.create(model=MODEL, input="hello", stream=True)
    pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert pieces == ["Grüezi", " mitenand!"]
