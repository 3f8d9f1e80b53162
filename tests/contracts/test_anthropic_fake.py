"""The fake of Anthropic is one that its own SDK takes for real, and does what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import pytest

from tests.fakes.anthropic_upstream import FakeAnthropic
from tests.fakes.scripted_content import STRUCTURED, UPSTREAM_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anthropic.types import MessageParam, ToolParam

SAID: list[MessageParam] = [{"role": "user", "content": "Hi"}]
SCHEMA: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}


def _tool(name: str) -> ToolParam:
    return {"name": name, "input_schema": SCHEMA}


@pytest.fixture
def fake() -> Iterator[FakeAnthropic]:
    with FakeAnthropic() as started:
        yield started


@pytest.fixture
def client(fake: FakeAnthropic) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=fake.base_url, api_key="sk-test", max_retries=0) as made:
        yield made


def _create(client: anthropic.Anthropic, model: str, **more: Any) -> anthropic.types.Message:
    message: anthropic.types.Message = client.messages.create(
        **{"model": model, "messages": SAID, "max_tokens": 7, **more}
    )
    return message


def test_usage_leaves_out_of_the_input_what_was_read_from_a_cache_or_written_to_one(
    client: anthropic.Anthropic,
) -> None:
    model = "exact-100+cached-40+cachewrite-20+cachewrite1h-10+searches-2"
    message = _create(client, model, system="Be brief.")
    used = message.usage
    assert (used.input_tokens, used.cache_read_input_tokens) == (30, 40)
    assert used.cache_creation_input_tokens == 30
    assert used.cache_creation is not None
    assert used.cache_creation.ephemeral_1h_input_tokens == 10
    assert used.server_tool_use is not None
    assert used.server_tool_use.web_search_requests == 2
    assert used.output_tokens == 7
    assert [block.type for block in message.content][-1] == "text"


def test_a_stream_of_thoughts_and_calls_is_assembled(client: anthropic.Anthropic) -> None:
    tools = [_tool("weather"), _tool("time")]
    with client.messages.stream(
        model="thinks-3+tools+pieces-7", messages=SAID, max_tokens=9, tools=tools
    ) as stream:
        message = stream.get_final_message()
    thinking, *calls = message.content
    assert thinking.type == "thinking"
    assert thinking.thinking == "t0 t1 t2 "
    assert thinking.signature
    assert [call.name for call in calls if call.type == "tool_use"] == ["weather", "time"]
    assert [call.input for call in calls if call.type == "tool_use"] == [{"city": "Zürich"}] * 2
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 9)


def test_results_of_tools_are_answered_with_a_text(client: anthropic.Anthropic) -> None:
    result: Any = {"type": "tool_result", "tool_use_id": "toolu_fake0", "content": "22"}
    said = [*SAID, {"role": "user", "content": [result]}]
    message = _create(client, "tools", messages=said, tools=[_tool("weather")])
    assert [block.type for block in message.content] == ["text"]
    assert message.stop_reason == "end_turn"


def test_an_answer_in_a_schema_is_json(client: anthropic.Anthropic) -> None:
    wanted = {"format": {"type": "json_schema", "schema": SCHEMA}}
    (block,) = _create(client, "claude", output_config=wanted).content
    assert block.type == "text"
    assert block.text == STRUCTURED


def test_a_hostile_provider_counts_a_token_a_byte_and_writes_all_of_it_to_its_cache(
    client: anthropic.Anthropic,
) -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    said: Any = [{"role": "user", "content": [{"type": "text", "text": "𐍈" * 25}]}]
    said[0]["content"][0]["cache_control"] = mark
    used = _create(client, "hostile", messages=said, max_tokens=50).usage
    assert used.cache_creation is not None
    assert used.cache_creation.ephemeral_1h_input_tokens == 100
    assert (used.input_tokens, used.output_tokens) == (0, 50)
    assert client.messages.count_tokens(model="m", messages=said).input_tokens == 100


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (403, anthropic.PermissionDeniedError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (529, anthropic.InternalServerError),
    ],
)
def test_errors_are_the_sdks_own_and_leak(
    client: anthropic.Anthropic, status: int, kind: type[anthropic.APIStatusError]
) -> None:
    with pytest.raises(kind) as caught:
        _create(client, f"error-{status}+retryafter-7")
    assert UPSTREAM_SECRET in str(caught.value)
    assert caught.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("fault", ["rst", "fin", "errorevent"])
def test_a_stream_that_breaks_off_raises(client: anthropic.Anthropic, fault: str) -> None:
    with client.messages.create(
        model=f"{fault}-4", messages=SAID, max_tokens=5, stream=True
    ) as stream:
        seen = [next(stream).type for _ in range(3)]
        with pytest.raises((anthropic.APIError, httpx2.HTTPError)):
            list(stream)
    assert seen == ["message_start", "content_block_start", "content_block_delta"]


def test_a_stream_can_lack_its_end(client: anthropic.Anthropic) -> None:
    with client.messages.create(model="nodone", messages=SAID, max_tokens=5, stream=True) as stream:
        assert [event.type for event in stream][-1] == "message_delta"
