"""What a Responses request may use, and how it is rewritten."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.request import InferenceRequest, Terms
from bursar.dialects.responses_request import ResponsesRequest, parse_responses
from bursar.domain.errors import BursarError, InvalidRequest, Unpriceable, Unprocessable
from bursar.domain.pricing import Bound, Price
from tests.fakes.wire_files import wire_bytes

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
WINDOW = 100_000
SEARCH = {"type": "web_search"}
FUNCTION = {"type": "function", "name": "f", "parameters": {}}
PNG = "data:image/png;base64," + "A" * 40_000


def _parse(**fields: Any) -> ResponsesRequest:
    return parse_responses(msgspec.json.encode({"model": "openai:m", "input": "hello"} | fields))


def _bound(price: Price | None = None, **fields: Any) -> Bound:
    return _parse(**fields).bound(price or _price(), 16_384)


def _price(**limits: Any) -> Price:
    return Price("openai:m", Decimal(1), Decimal(1), _NOW, _NOW, **limits)


WINDOWED = _price(context_window_tokens=WINDOW)


def _user(*parts: Any) -> list[dict[str, Any]]:
    return [{"type": "message", "role": "user", "content": list(parts)}]


def test_everything_but_the_model_keeps_its_bytes() -> None:
    raw = (
        b'{ "temperature": 0.10, "model":"openai/gpt", "input": [ {"role":"user",'
        b'"content":"\\u00e9 \xd0\xba"} ], "store" : false, "big": 12345678901234567890.5e3 }'
    )
    assert parse_responses(raw).rewritten(Terms("gpt")) == (
        b'{"temperature":0.10,"model":"gpt","input":[ {"role":"user",'
        b'"content":"\\u00e9 \xd0\xba"} ],"store":false,"big":12345678901234567890.5e3}'
    )


def test_an_imposed_limit_replaces_the_requests_own_or_is_added() -> None:
    for fields in ({}, {"max_output_tokens": 900}, {"max_output_tokens": None}):
        sent = msgspec.json.decode(_parse(**fields).rewritten(Terms("m", output_tokens=50)))
        assert sent["max_output_tokens"] == 50


def test_an_endpoints_quirks_are_applied() -> None:
    terms = Terms(
        "m",
        renamed_fields={"max_output_tokens": "max_tokens"},
        dropped_fields=frozenset({"store"}),
        added_fields={"project": "p"},
    )
    sent = msgspec.json.decode(_parse(max_output_tokens=9, store=True).rewritten(terms))
    assert sent == {"model": "m", "input": "hello", "max_tokens": 9, "project": "p"}


def test_it_is_what_the_services_expect_of_any_request() -> None:
    request: InferenceRequest = _parse(stream=True, user="u", max_output_tokens=7)
    assert (request.operation, request.endpoint) == ("responses", "/v1/responses")
    assert (request.is_streamed, request.user, request.declared_output_tokens) == (True, "u", 7)
    assert request.document()["input"] == "hello"
    assert request.wants_usage


@pytest.mark.parametrize(
    ("fields", "kind", "says"),
    [
        ({"model": 5}, Unprocessable, "model"),
        ({"input": None}, Unprocessable, "input"),
        ({"input": 5}, Unprocessable, "input"),
        ({"input": ["x"]}, Unprocessable, "input"),
        ({"tools": {}}, Unprocessable, "tools"),
        ({"max_output_tokens": 0}, InvalidRequest, "max_output_tokens"),
        ({"max_output_tokens": 10**10}, InvalidRequest, "max_output_tokens"),
        ({"max_tool_calls": 0}, InvalidRequest, "max_tool_calls"),
        ({"background": True}, InvalidRequest, "leave 'background' out"),
        ({"background": True, "stream": True}, InvalidRequest, "leave 'background' out"),
    ],
)
def test_bad_input_is_refused_with_what_is_wrong(
    fields: dict[str, Any], kind: type[BursarError], says: str
) -> None:
    with pytest.raises(kind, match=says):
        _parse(**fields)


@pytest.mark.parametrize("stored", ["previous_response_id", "conversation", "prompt"])
def test_input_may_be_what_the_provider_has_stored(stored: str) -> None:
    assert _bound(WINDOWED, input=None, **{stored: "x"}).input_tokens == WINDOW


def test_text_is_bounded_by_its_bytes() -> None:
    raw = wire_bytes("responses/text.request.json")
    bound = parse_responses(raw).bound(_price(), 16_384)
    assert len(raw) < bound.input_tokens < len(raw) + 100
    assert bound.output_tokens == 200


def test_the_context_window_caps_the_bytes() -> None:
    assert _bound(WINDOWED, input="x" * 2 * WINDOW).input_tokens == WINDOW


@pytest.mark.parametrize(
    ("declared", "known", "expected"),
    [(None, None, 16_384), (None, 900, 900), (50, None, 50), (50, 900, 50), (5_000, 900, 900)],
)
def test_the_answer_is_bounded_by_the_request_the_price_or_the_default(
    declared: int | None, known: int | None, expected: int
) -> None:
    price = _price(max_output_tokens=known)
    assert _bound(price, max_output_tokens=declared).output_tokens == expected


@pytest.mark.parametrize(
    "given",
    [
        {"previous_response_id": "resp_1"},
        {"conversation": {"id": "conv_1"}},
        {"prompt": {"id": "pmpt_1"}},
        {"input": [{"type": "item_reference", "id": "msg_1"}]},
        {"input": [{"id": "msg_1"}]},
        {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]},
        {"input": [{"type": "web_search_call", "id": "ws_1"}]},
        {"input": _user({"type": "input_file", "file_id": "file_1"})},
        {"input": _user({"type": "input_file", "file_url": "https://x"})},
        {"input": _user({"type": "input_file", "file_data": "data:application/pdf;base64,AA"})},
        {"input": [{"type": "function_call_output", "output": [{"type": "input_file"}]}]},
    ],
)
def test_what_could_be_of_any_size_counts_as_the_context_window(given: dict[str, Any]) -> None:
    assert _bound(WINDOWED, **given).input_tokens == WINDOW
    with pytest.raises(Unpriceable, match="set 'context_window_tokens'"):
        _bound(**given)


@pytest.mark.parametrize(
    "item",
    [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "abc"},
        {"type": "reasoning", "summary": [], "content": []},
        {"type": "compaction", "id": "c", "encrypted_content": "abc"},
        {"type": "function_call_output", "call_id": "c", "output": "text"},
        {"type": "function_call_output", "output": [{"type": "input_text", "text": "t"}]},
        {"type": "shell_call_output", "output": [{"stdout": "a", "stderr": "", "outcome": {}}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": "t"}]},
    ],
)
def test_items_that_hold_all_there_is_are_bounded_by_their_bytes(item: dict[str, Any]) -> None:
    assert _bound(input=[item]).input_tokens < 400


@pytest.mark.parametrize(
    "item",
    [
        _user({"type": "input_image", "image_url": PNG})[0],
        {"type": "function_call_output", "output": [{"type": "input_image", "image_url": PNG}]},
        {
            "type": "computer_call_output",
            "output": {"type": "computer_screenshot", "image_url": PNG},
        },
    ],
)
def test_an_image_is_bounded_by_what_vendors_count_not_by_its_base64(item: dict[str, Any]) -> None:
    bound = _bound(input=[item])
    assert 16_384 < bound.input_tokens < 17_000
    assert bound.input_image_tokens == 16_384


def test_an_image_by_its_id_is_bounded_like_any_other() -> None:
    items = _user({"type": "input_image", "file_id": "file_1"})
    assert 16_384 < _bound(input=items).input_tokens < 17_000


def test_audio_counts_as_audio() -> None:
    audio = {"data": "A" * 4_000, "format": "mp3"}
    bound = _bound(input=_user({"type": "input_audio", "input_audio": audio}))
    assert bound.input_audio_tokens == 101


@pytest.mark.parametrize(
    "tool",
    [
        FUNCTION,
        {"type": "custom", "name": "c"},
        {"type": "namespace", "name": "n", "tools": [FUNCTION]},
        {"type": "local_shell"},
        {"type": "shell", "environment": {"type": "local"}},
        {"type": "apply_patch"},
        {"type": "computer_use_preview", "display_width": 1, "display_height": 1},
        {"type": "tool_search", "execution": "client"},
    ],
)
def test_tools_that_run_at_the_caller_cost_their_tokens_only(tool: dict[str, Any]) -> None:
    bound = _bound(tools=[tool])
    assert 1_024 < bound.input_tokens < 1_500
    assert bound.web_searches == 0


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "file_search"},
        {"type": "code_interpreter"},
        {"type": "image_generation"},
        {"type": "shell", "environment": {"type": "container_auto"}},
        {"type": "shell"},
        {"type": "tool_search"},
        {"type": "programmatic_tool_calling"},
        {"type": "brand_new"},
        {"type": ["function"]},
        {},
    ],
)
@pytest.mark.parametrize("place", ["tools", "additional_tools", "tool_search_output"])
def test_tools_with_a_bill_of_their_own_are_refused_wherever_they_come_from(
    tool: dict[str, Any], place: str
) -> None:
    given: dict[str, Any] = {"tools": [tool]}
    if place != "tools":
        given = {"input": [{"type": place, "tools": [tool]}]}
    with pytest.raises(Unpriceable, match="cannot be priced"):
        _bound(WINDOWED, max_tool_calls=3, **given)


def test_searches_are_bounded_by_the_limit_of_calls_and_read_the_context_after_each() -> None:
    bound = _bound(WINDOWED, tools=[SEARCH, FUNCTION], max_tool_calls=4)
    own = _bound(WINDOWED, tools=[FUNCTION, FUNCTION])
    assert bound.web_searches == 4
    assert 0 <= bound.input_tokens - 4 * WINDOW - 1_024 < own.input_tokens
    assert not bound.imposes_calls


def test_an_mcp_server_reads_the_context_as_often_and_searches_nothing() -> None:
    bound = _bound(WINDOWED, tools=[{"type": "mcp", "server_label": "s"}], max_tool_calls=4)
    assert (bound.web_searches, bound.input_tokens) == (0, 5 * WINDOW)


def test_a_loop_at_the_provider_without_a_limit_is_given_one() -> None:
    imposed = _bound(WINDOWED, tools=[SEARCH])
    assert imposed.imposes_calls
    assert imposed.served_calls == imposed.web_searches == 4
    asked = _bound(WINDOWED, tools=[SEARCH], max_tool_calls=4)
    # Their bodies differ by the limit alone.
    assert asked.input_tokens - imposed.input_tokens == len(',"max_tool_calls":4')
    fewer = imposed.with_served_calls(3)
    asked = _bound(WINDOWED, tools=[SEARCH], max_tool_calls=3)
    assert asked.input_tokens - fewer.input_tokens == len(',"max_tool_calls":3')
    assert asked.web_searches == fewer.web_searches


def test_a_limit_of_calls_that_is_imposed_is_put_into_the_request() -> None:
    request = _parse(tools=[SEARCH])
    sent = msgspec.json.decode(request.rewritten(Terms("m", tool_calls=2)))
    assert sent["max_tool_calls"] == 2
    assert "max_tool_calls" not in msgspec.json.decode(request.rewritten(Terms("m")))


def test_calls_without_a_known_window_have_no_bound() -> None:
    with pytest.raises(Unpriceable, match="set 'context_window_tokens'"):
        _bound(tools=[SEARCH], max_tool_calls=1)


def test_a_limit_counts_only_where_the_provider_keeps_to_it() -> None:
    with pytest.raises(Unpriceable, match="'other' keeps to no limit"):
        _bound(WINDOWED, model="other:m", tools=[SEARCH], max_tool_calls=1)


def test_work_of_the_provider_that_no_limit_bounds_is_refused() -> None:
    with pytest.raises(Unpriceable, match="'context_management'"):
        _bound(WINDOWED, context_management=[{"type": "compaction"}])
    with pytest.raises(Unpriceable, match="mode 'pro'"):
        _bound(WINDOWED, reasoning={"mode": "pro", "effort": "high"})
    assert _bound(reasoning={"mode": "standard"}).output_tokens


def test_the_tier_and_the_cache_are_told() -> None:
    bound = _bound(service_tier="priority", prompt_cache_options={"ttl": "12h"})
    assert (bound.service_tier, bound.writes_cache) == ("priority", True)
    assert not _bound().writes_cache


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "output", "tools", "input_image", "id"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(items=st.lists(st.dictionaries(st.text(max_size=8), _JSON), max_size=3), tools=_JSON)
def test_any_json_is_bounded_or_refused(items: list[Any], tools: Any) -> None:
    with suppress(BursarError):
        assert _bound(WINDOWED, input=items, tools=tools).input_tokens > 0


@given(text=st.text(), extra=st.text())
def test_the_bound_covers_a_token_for_each_byte_of_text(text: str, extra: str) -> None:
    request = _parse(instructions=extra, input=_user({"type": "input_text", "text": text}))
    dense = len(text.encode()) + len(extra.encode())
    assert request.bound(_price(), 1).input_tokens >= dense
