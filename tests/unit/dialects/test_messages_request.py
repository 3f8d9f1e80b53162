from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.messages_request import MessagesRequest, parse_messages
from bursar.dialects.request import Terms
from bursar.domain.errors import BursarError, InvalidRequest, Unpriceable, Unprocessable
from bursar.domain.models import ModelName
from bursar.domain.pricing import Bound, Price
from tests.fakes.wire_files import wire_bytes

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_WINDOW = 200_000
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "A" * 100_000},
}
PDF = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": "A" * 1_000},
}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
TOOL = {"name": "f", "input_schema": {"type": "object"}}


def _parse(**fields: Any) -> MessagesRequest:
    content = {
        "model": "anthropic:claude",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "hello"}],
    }
    return parse_messages(msgspec.json.encode(content | fields))


def _price(**limits: Any) -> Price:
    return Price("anthropic:claude", Decimal(1), Decimal(1), _NOW, _NOW, **limits)


def _bound(price: Price | None = None, **fields: Any) -> Bound:
    return _parse(**fields).bound(price or _price(context_window_tokens=_WINDOW), 16_384)


def _asking(*content: dict[str, Any], **limits: Any) -> Bound:
    messages = [{"role": "user", "content": list(content)}]
    return _bound(_price(**limits), messages=messages)


def _rewritten(raw: bytes, **terms: Any) -> bytes:
    return parse_messages(raw).rewritten(Terms("claude", **terms))


def test_a_request_tells_what_it_is() -> None:
    request = parse_messages(wire_bytes("messages/thinking.request.json"))
    assert request.model == ModelName("anthropic", "claude-sonnet-4-5")
    assert (request.operation, request.endpoint) == ("messages", "/v1/messages")
    assert request.declared_output_tokens == 16_000
    assert request.wants_usage
    assert not request.is_streamed
    assert _parse(stream=True).is_streamed
    assert request.document()["thinking"] == {"type": "enabled", "budget_tokens": 10_000}


def test_claude_code_is_bounded() -> None:
    raw = wire_bytes("messages/claude-code.request.json")
    bound = parse_messages(raw).bound(_price(), 16_384)
    assert len(raw) < bound.input_tokens < len(raw) + 4_096
    assert (bound.output_tokens, bound.service_tier, bound.web_searches) == (32_000, None, 0)
    assert (bound.writes_cache, bound.writes_cache_1h) == (True, True)


def test_everything_but_the_model_keeps_its_bytes() -> None:
    raw = (
        b'{ "max_tokens": 10, "temperature": 0.10, "model":"anthropic/claude", "messages": [ '
        b'{"role":"user","content":"\\u00e9 \xd0\xba"} ], "field_of_tomorrow": 1.50e3 }'
    )
    assert _rewritten(raw) == (
        b'{"max_tokens":10,"temperature":0.10,"model":"claude","messages":[ '
        b'{"role":"user","content":"\\u00e9 \xd0\xba"} ],"field_of_tomorrow":1.50e3}'
    )


def test_an_imposed_limit_lowers_the_thinking_with_it() -> None:
    sent = _rewritten(wire_bytes("messages/thinking.request.json"), output_tokens=8_000)
    body = msgspec.json.decode(sent)
    assert body["max_tokens"] == 8_000
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 5_000}


def test_an_endpoint_without_a_model_in_its_body_gets_none() -> None:
    sent = _rewritten(
        wire_bytes("messages/text.request.json"),
        dropped_fields=frozenset({"model"}),
        added_fields={"anthropic_version": "vertex-2023-10-16"},
    )
    body = msgspec.json.decode(sent)
    assert "model" not in body
    assert body["anthropic_version"] == "vertex-2023-10-16"


@pytest.mark.parametrize(
    ("metadata", "user"),
    [({"user_id": "ann"}, "ann"), ({"user_id": 5}, None), ({}, None), (None, None)],
)
def test_the_end_user_is_read_and_may_be_anything(metadata: Any, user: str | None) -> None:
    request = _parse(metadata=metadata)
    assert request.user == user
    assert (request.user_field, request.is_user_advisory) == ("metadata.user_id", True)


@pytest.mark.parametrize(
    ("fields", "kind", "param"),
    [
        ({"messages": []}, Unprocessable, "messages"),
        ({"messages": "x"}, Unprocessable, "messages"),
        ({"messages": [{"content": "x"}]}, Unprocessable, "messages[0]"),
        ({"messages": [{"role": "user"}]}, Unprocessable, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [5]}]}, Unprocessable, "messages[0].content"),
        ({"model": 5}, Unprocessable, "model"),
        ({"model": "anthropic:"}, InvalidRequest, "model"),
        ({"max_tokens": None}, Unprocessable, "max_tokens"),
        ({"max_tokens": "5"}, Unprocessable, "max_tokens"),
        ({"max_tokens": -1}, InvalidRequest, "max_tokens"),
        ({"max_tokens": 10**40}, InvalidRequest, "max_tokens"),
        ({"stream": "yes"}, Unprocessable, "stream"),
        ({"system": 5}, Unprocessable, "system"),
        ({"stop_sequences": "x"}, Unprocessable, "stop_sequences"),
        ({"tools": [5]}, Unprocessable, "tools[0]"),
    ],
)
def test_bad_fields_are_refused_by_name(
    fields: dict[str, Any], kind: type[BursarError], param: str
) -> None:
    with pytest.raises(kind) as refused:
        _parse(**fields)
    assert refused.value.param == param  # type: ignore[attr-defined]


def test_a_limit_is_required() -> None:
    with pytest.raises(Unprocessable, match="max_tokens"):
        parse_messages(b'{"model":"a:b","messages":[{"role":"user","content":"x"}]}')


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{", b"\xff\xfe", b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"]
)
def test_a_body_that_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_messages(raw)


def test_a_limit_of_zero_only_fills_the_cache() -> None:
    assert _bound(max_tokens=0).output_tokens == 0


@given(st.text(min_size=1), st.text(), st.text())
def test_text_is_bounded_by_its_bytes_wherever_it_stands(text: str, system: str, told: str) -> None:
    bound = _bound(
        system=[{"type": "text", "text": system}],
        tools=[TOOL | {"description": told}],
        messages=[{"role": "user", "content": [{"type": "text", "text": text}]}],
    )
    size = sum(len(each.encode(errors="surrogatepass")) for each in (text, system, told))
    assert min(size, _WINDOW) <= bound.input_tokens


def test_input_is_bounded_by_the_context_window() -> None:
    long = [{"role": "user", "content": "x" * 10_000}]
    assert _bound(_price(context_window_tokens=4_096), messages=long).input_tokens == 4_096


@pytest.mark.parametrize(
    "source",
    [
        IMAGE["source"],
        {"type": "url", "url": "https://a.example/b.png"},
        {"type": "file", "file_id": "file_1"},
    ],
)
def test_an_image_counts_as_an_image_and_not_as_text(source: Any) -> None:
    bound = _asking({"type": "image", "source": source})
    assert 4_784 <= bound.input_tokens < 6_000
    assert bound.input_image_tokens >= 4_784


def test_images_in_the_results_of_tools_and_in_documents_count_too() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [IMAGE, IMAGE]}
    bound = _asking(result, {"type": "document", "source": {"type": "content", "content": [IMAGE]}})
    assert bound.input_image_tokens == 15_000
    assert 15_000 <= bound.input_tokens < 16_000


@pytest.mark.parametrize(
    "block",
    [
        PDF,
        {"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "tool_result", "tool_use_id": "t", "content": [PDF]},
        {
            "type": "web_fetch_tool_result",
            "tool_use_id": "t",
            "content": {"type": "web_fetch_result", "url": "https://a.example", "content": PDF},
        },
        {"type": "hologram"},
    ],
)
def test_what_may_be_of_any_size_counts_as_a_full_window(block: dict[str, Any]) -> None:
    assert _asking(block, context_window_tokens=_WINDOW).input_tokens == _WINDOW
    with pytest.raises(Unpriceable, match="context_window_tokens"):
        _asking(block)


def test_a_document_of_text_counts_by_its_bytes() -> None:
    text = {"type": "text", "media_type": "text/plain", "data": "x" * 3_000}
    assert 3_000 <= _asking({"type": "document", "source": text}).input_tokens < 3_500


def test_tools_bring_a_prompt_of_the_vendors() -> None:
    assert _bound(tools=[TOOL]).input_tokens - _bound().input_tokens >= 804
    typed = [{"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}]
    assert _bound(tools=typed).input_tokens - _bound(tools=[TOOL]).input_tokens >= 700


def test_a_search_of_the_web_counts_as_often_as_it_may_be_made() -> None:
    bound = _bound(tools=[SEARCH])
    assert bound.web_searches == bound.served_calls == 3
    assert bound.writes_cache
    # The first round reads what the request holds, one more answers a search too many.
    own = _bound(tools=[TOOL | {"type": "custom"}]).input_tokens
    assert own < bound.input_tokens - 4 * _WINDOW < own + 3_000
    many = _bound(tools=[SEARCH | {"max_uses": 50}])
    assert many.input_tokens - bound.input_tokens == 5 * _WINDOW + len("50") - len("3")


def test_fewer_searches_may_be_allowed_than_were_asked_for() -> None:
    bound = _bound(tools=[SEARCH, TOOL])
    assert bound.served_calls_min == 1
    fewer = bound.with_served_calls(1)
    assert (fewer.web_searches, fewer.input_tokens) == (1, bound.input_tokens - 2 * _WINDOW)
    sent = msgspec.json.decode(_parse(tools=[SEARCH, TOOL]).rewritten(Terms("m", tool_calls=1)))
    assert sent["tools"] == [SEARCH | {"max_uses": 1}, TOOL]


@pytest.mark.parametrize(
    "tools",
    [
        [TOOL],
        [SEARCH | {"max_uses": 0}],
        [SEARCH, {"type": "web_fetch_20250910", "name": "web_fetch", "max_uses": 2}],
        [{"type": "web_fetch_20250910", "name": "web_fetch"}],
    ],
)
def test_uses_that_no_one_field_limits_stay_as_they_are(tools: list[dict[str, Any]]) -> None:
    assert _bound(tools=tools).served_calls_min == 0


def test_a_fetch_without_a_limit_may_be_made_in_every_round() -> None:
    bound = _bound(tools=[SEARCH, {"type": "web_fetch_20250910", "name": "web_fetch"}])
    assert 9 * _WINDOW < bound.input_tokens < 10 * _WINDOW


def test_a_search_among_tools_only_reads_them_again() -> None:
    tool = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
    bound = _bound(_price(), tools=[tool, TOOL])
    assert 10 * 2_048 < bound.input_tokens < 50_000
    assert bound.web_searches == 0


def _added(definition: dict[str, Any]) -> dict[str, Any]:
    tool = {"type": "tool_definition", "definition": definition}
    return {"type": "tool_addition", "tool": tool}


@pytest.mark.parametrize(
    "block",
    [
        _added(SEARCH),
        {"type": "compaction", "content": "What was said.", "tool_changes": [_added(SEARCH)]},
    ],
)
def test_a_tool_that_the_conversation_brings_along_counts_like_the_requests(
    block: dict[str, Any],
) -> None:
    said = [{"role": "system", "content": [block]}, {"role": "user", "content": "hello"}]
    bound = _bound(messages=said)
    assert bound.web_searches == SEARCH["max_uses"]
    assert bound.input_tokens >= _bound(tools=[SEARCH]).input_tokens
    assert bound.served_calls_min == 0


def test_a_tool_that_the_conversation_brings_along_may_have_no_price() -> None:
    said = [{"role": "system", "content": [_added({"type": "advisor_20260301", "name": "a"})]}]
    with pytest.raises(Unpriceable, match="advisor"):
        _bound(messages=said)


def test_a_tool_of_the_callers_own_that_comes_along_is_bounded_by_its_bytes() -> None:
    said = [{"role": "system", "content": [_added(TOOL)]}]
    assert _bound(_price(), messages=said).input_tokens < 5_000


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "max_uses"),
        ({"tools": [{"type": "code_execution_20250825", "name": "x"}]}, "code_execution"),
        ({"tools": [{"type": "advisor_20260301", "name": "advisor"}]}, "advisor"),
        ({"tools": [{"type": "mcp_toolset", "mcp_server_name": "x"}]}, "mcp_toolset"),
        ({"mcp_servers": [{"type": "url", "url": "https://a.example"}]}, "mcp_servers"),
        ({"container": "container_1"}, "container"),
        ({"fallbacks": "default"}, "fallbacks"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"thread": {"type": "create"}}, "thread"),
        ({"thread": {"type": "continue", "previous_message_id": "msg_1"}}, "send all of it"),
        ({"context_management": {"edits": [{"type": "compact_20260112"}]}}, "compact_20260112"),
    ],
)
def test_what_no_price_covers_is_refused_with_the_remedy(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(Unpriceable, match=says):
        _bound(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"mcp_servers": []},
        {"inference_geo": "global"},
        {"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}},
        {"context_management": "x"},
    ],
)
def test_what_costs_nothing_beside_tokens_is_priced(fields: dict[str, Any]) -> None:
    assert _bound(**fields).input_tokens < 500


def test_a_compaction_brings_a_prompt_of_the_vendors() -> None:
    asked = _bound(compaction={"type": "summarize"})
    assert asked.input_tokens - _bound().input_tokens > 4_000


def test_a_cache_is_paid_for_by_how_long_it_is_kept() -> None:
    def marked(**mark: str) -> Bound:
        block = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", **mark}}
        return _asking(block)

    assert (marked().writes_cache, marked().writes_cache_1h) == (True, False)
    assert (marked(ttl="5m").writes_cache, marked(ttl="5m").writes_cache_1h) == (True, False)
    assert (marked(ttl="1h").writes_cache, marked(ttl="1h").writes_cache_1h) == (True, True)
    assert not _bound(messages=[{"role": "user", "content": '"1h"'}]).writes_cache_1h


@pytest.mark.parametrize(
    ("fields", "tier"),
    [
        ({}, None),
        ({"service_tier": "auto"}, None),
        ({"service_tier": "standard_only"}, None),
        ({"service_tier": "priority"}, "priority"),
        ({"speed": "standard"}, None),
        ({"speed": "fast", "service_tier": "auto"}, "fast"),
    ],
)
def test_the_tier_is_the_dearest_that_was_asked_for(
    fields: dict[str, Any], tier: str | None
) -> None:
    assert _bound(**fields).service_tier == tier


def test_thinking_is_within_the_declared_limit() -> None:
    bound = _bound(max_tokens=9_000, thinking={"type": "enabled", "budget_tokens": 8_000})
    assert bound.output_tokens == 9_000
