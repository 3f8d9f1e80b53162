"""The fake provider's Responses API is one that OpenAI's own SDK takes for real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from pydantic import BaseModel

from tests.fakes.openai_upstream import FakeOpenAI
from tests.fakes.scripted_content import CUSTOM_INPUT, UPSTREAM_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.responses import FunctionToolParam

WEATHER: FunctionToolParam = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}


class Weather(BaseModel):
    city: str
    degrees: int


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as started:
        yield started


@pytest.fixture
def client(fake: FakeOpenAI) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=fake.base_url, api_key="sk-test", max_retries=0) as made:
        yield made


def test_usage_is_exactly_what_was_scripted(client: openai.OpenAI) -> None:
    model = "exact-100+cached-40+thinks-2"
    done = client.responses.create(model=model, input="Hi", max_output_tokens=7)
    assert done.output_text == "w0 w1 w2 w3 w4 w5 w6"
    assert done.usage is not None
    assert (done.usage.input_tokens, done.usage.output_tokens) == (100, 7)
    assert done.usage.input_tokens_details.cached_tokens == 40
    assert done.usage.output_tokens_details.reasoning_tokens == 2


def test_a_stream_ends_with_all_that_came(client: openai.OpenAI) -> None:
    with client.responses.stream(
        model="thinks-2+pieces-9", input="Hi", max_output_tokens=3
    ) as stream:
        numbers = [event.sequence_number for event in stream]
        done = stream.get_final_response()
    assert numbers == list(range(len(numbers)))
    assert [item.type for item in done.output] == ["reasoning", "message"]
    assert done.output_text == "w0 w1 w2"


def test_functions_and_custom_tools_are_called_until_their_results_come(
    client: openai.OpenAI,
) -> None:
    tools: Any = [WEATHER, {"type": "custom", "name": "patch"}]
    with client.responses.stream(model="tools", input="Hi", tools=tools) as stream:
        first, second = stream.get_final_response().output
    assert first.type == "function_call"
    assert first.arguments == '{"city": "Zürich"}'
    assert second.type == "custom_tool_call"
    assert second.input == CUSTOM_INPUT
    result: Any = {"type": "function_call_output", "call_id": first.call_id, "output": "22"}
    done = client.responses.create(model="tools", input=[result], tools=tools)
    assert [item.type for item in done.output] == ["message"]


def test_an_answer_in_a_schema_is_parsed(client: openai.OpenAI) -> None:
    done = client.responses.parse(model="m", input="Hi", text_format=Weather)
    assert done.output_parsed == Weather(city="Zürich", degrees=7)


def test_a_hostile_provider_counts_a_token_a_byte(client: openai.OpenAI) -> None:
    done = client.responses.create(model="hostile", input="𐍈" * 25, max_output_tokens=50)
    assert done.usage is not None
    assert (done.usage.input_tokens, done.usage.output_tokens) == (100, 50)


def test_an_error_in_a_stream_is_an_event_that_leaks(client: openai.OpenAI) -> None:
    with client.responses.create(model="errorevent-4", input="Hi", stream=True) as stream:
        last = list(stream)[-1]
    assert last.type == "error"
    assert UPSTREAM_SECRET in last.message


def test_a_stream_can_end_incomplete_or_without_its_end(client: openai.OpenAI) -> None:
    for model, last in (("nodone", "output_item.done"), ("stops-max_output_tokens", "incomplete")):
        with client.responses.create(model=model, input="Hi", stream=True) as stream:
            assert [event.type for event in stream][-1] == f"response.{last}"
