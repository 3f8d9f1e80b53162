"""What the books read from a provider's Messages, whole or streamed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bursar.dialects.messages_answer import meter_answer
from bursar.dialects.messages_stream import MessagesStreamMeter
from bursar.dialects.messages_usage import read_tier, read_usage
from bursar.dialects.messages_wire import MESSAGES
from bursar.dialects.passage_streams import PassedStream
from bursar.dialects.sse import FrameSplitter, data_of, named_frames
from bursar.domain.unseen import Unseen
from bursar.domain.usage import TokenUsage
from tests.fakes.wire_files import wire_bytes

STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
STREAMS = ["text", "thinking", "tools", "web-search"]
USAGE = {
    "text": TokenUsage(14, 12),
    "tools": TokenUsage(1_642, 97, cache_write_tokens=1_430),
    "thinking": TokenUsage(
        2_510,
        45,
        cached_input_tokens=2_000,
        cache_write_tokens=500,
        cache_write_1h_tokens=400,
        reasoning_tokens=31,
    ),
    "web-search": TokenUsage(10_682, 510, web_searches=1),
}


def _reader() -> PassedStream:
    return PassedStream(MESSAGES.splitter(), MESSAGES.stream_meter(True))  # noqa: FBT003


def _metered(frames: bytes) -> MessagesStreamMeter:
    meter = MessagesStreamMeter()
    for frame in FrameSplitter().feed(frames):
        meter.passes(frame)
    return meter


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 5, "output_tokens": 3}, TokenUsage(5, 3)),
        (
            {"input_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2},
            TokenUsage(10, 0, cached_input_tokens=3, cache_write_tokens=2),
        ),
        # A write's age without its total
        (
            {
                "input_tokens": 1,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 4,
                    "ephemeral_1h_input_tokens": 2,
                },
            },
            TokenUsage(7, 0, cache_write_tokens=6, cache_write_1h_tokens=2),
        ),
        # A compaction is billed and not in the totals
        (
            {
                "input_tokens": 100,
                "output_tokens": 10,
                "server_tool_use": {"web_search_requests": 2},
                "iterations": [
                    {"type": "compaction", "input_tokens": 900, "output_tokens": 50},
                    {
                        "type": "message",
                        "input_tokens": 60,
                        "cache_read_input_tokens": 40,
                        "output_tokens": 10,
                    },
                ],
            },
            TokenUsage(1_000, 60, cached_input_tokens=40, web_searches=2),
        ),
        # One iteration says no more than the totals
        (
            {
                "input_tokens": 9,
                "output_tokens": 1,
                "iterations": [{"type": "message", "input_tokens": 9, "output_tokens": 1}],
            },
            TokenUsage(9, 1),
        ),
        ({"input_tokens": 0, "output_tokens": 0}, None),
        ({"input_tokens": -1, "output_tokens": "3"}, None),
        ({"input_tokens": True, "iterations": [5]}, None),
        ({"input_tokens": 10**50}, None),
        (None, None),
        ([], None),
    ],
)
def test_all_input_is_counted_and_its_cached_parts_apart(
    usage: Any, expected: TokenUsage | None
) -> None:
    assert read_usage(usage) == expected


@pytest.mark.parametrize(
    ("usage", "tier"),
    [
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "standard", "speed": "fast"}, "fast"),
        ({"service_tier": "standard", "speed": "standard"}, "standard"),
        ({"service_tier": 5}, None),
        (None, None),
    ],
)
def test_fast_mode_is_a_tier_of_its_own(usage: Any, tier: str | None) -> None:
    assert read_tier(usage) == tier


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_passes_whole_but_for_its_end_and_is_counted(case: str) -> None:
    stream, reader = wire_bytes(f"messages/{case}.sse"), _reader()
    passed = reader.feed(stream)
    assert passed + reader.last_words() == stream
    assert not passed.endswith(STOP)
    assert reader.is_done
    assert reader.error is None
    assert reader.usage == USAGE[case]


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_split_at_any_byte_passes_and_counts_the_same(case: str) -> None:
    stream = wire_bytes(f"messages/{case}.sse")
    for cut in range(len(stream) + 1):
        reader = _reader()
        passed = reader.feed(stream[:cut]) + reader.feed(stream[cut:])
        assert passed + reader.last_words() == stream
        assert (reader.is_done, reader.usage) == (True, USAGE[case])


@pytest.mark.parametrize("case", ["text", "tools"])
def test_a_whole_answer_counts_like_its_stream(case: str) -> None:
    answer = meter_answer(wire_bytes(f"messages/{case}.answer.json"))
    assert answer.usage == USAGE[case]
    assert answer.service_tier == "standard"
    assert answer.reported_cost_usd is None


def test_a_stream_broken_off_is_counted_by_what_has_come_of_it() -> None:
    head, *_ = wire_bytes("messages/thinking.sse").split(b"event: message_delta")
    meter = _metered(head)
    assert not meter.is_done
    generated = len("12,231 + 453 = 12,68412,684") + 53  # the signature
    assert meter.output_bytes == generated
    assert meter.usage is not None
    assert (meter.usage.input_tokens, meter.usage.output_tokens) == (2_510, generated)


def test_a_stream_ends_only_where_it_says_so() -> None:
    stream = wire_bytes("messages/text.sse").removesuffix(STOP)
    assert not _metered(stream).is_done
    assert _metered(stream + STOP).is_done


def test_comments_pass_until_the_end_and_events_without_usage_count_nothing() -> None:
    meter = MessagesStreamMeter()
    assert meter.passes(b": keep-alive\n\n")
    assert meter.passes(named_frames([{"type": "message_start", "message": {}}]))
    assert meter.passes(named_frames([{"type": "message_start", "message": 5}]))
    assert meter.usage is None
    assert not meter.passes(STOP)
    assert not meter.passes(b": keep-alive\n\n")


def test_an_error_in_a_stream_is_withheld_and_kept_for_the_books() -> None:
    reader = _reader()
    passed = reader.feed(wire_bytes("messages/overloaded.sse"))
    assert reader.error is not None
    assert "Overloaded" in reader.error.said
    assert reader.error.status == 529
    assert b"error" not in passed
    assert reader.usage == TokenUsage(14, len("Bonjour, ça va ?".encode()))
    assert not reader.is_done


def test_a_translator_gets_every_event_but_the_error_and_the_end() -> None:
    meter = MessagesStreamMeter()
    frames = FrameSplitter().feed(wire_bytes("messages/text.sse") + b": bye\n\n")
    kinds = [(meter.take(frame) or {}).get("type") for frame in frames]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == [None, None]
    assert kinds.count(None) == 2
    assert meter.is_done
    assert meter.usage == USAGE["text"]
    assert meter.take(named_frames([{"type": "error", "error": {}}])) is None


def test_what_a_tool_of_the_provider_found_is_not_output() -> None:
    query = '{"query": "weather NYC today"}'
    assert _metered(wire_bytes("messages/web-search.sse")).output_bytes == len(
        f"web_search{query}It is sunny."
    )


@pytest.mark.parametrize(
    "delta",
    [
        {"type": "text_delta", "text": "ключ"},
        {"type": "input_json_delta", "partial_json": '{"a":1}'},
        {"type": "delta_of_tomorrow", "content": {"a": ["b" * 20]}},
    ],
)
def test_every_delta_counts_no_less_than_its_text(delta: dict[str, Any]) -> None:
    event = {"type": "content_block_delta", "index": 0, "delta": delta}
    *_, text = delta.values()
    size = len(text.encode()) if isinstance(text, str) else 20
    assert _metered(named_frames([event])).output_bytes >= size


def test_a_later_report_that_leaves_fields_out_keeps_the_earlier_ones() -> None:
    start = {"input_tokens": 8, "cache_read_input_tokens": 5, "output_tokens": 1}
    events = [
        {"type": "message_start", "message": {"usage": start}},
        {"type": "message_delta", "usage": {"cache_read_input_tokens": None, "output_tokens": 6}},
    ]
    assert _metered(named_frames(events)).usage == TokenUsage(13, 6, cached_input_tokens=5)


def test_a_later_report_of_zeros_does_not_make_the_input_free() -> None:
    zeros = {"input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 6}
    events = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 8, "output_tokens": 1}}},
        {"type": "message_delta", "usage": zeros},
    ]
    assert _metered(named_frames(events)).usage == TokenUsage(8, 6)


@pytest.mark.parametrize("usage", [None, {"input_tokens": 8}, {"output_tokens": 0}])
def test_an_answer_whose_output_nobody_counted_counts_by_its_bytes(usage: Any) -> None:
    text = {"type": "text_delta", "text": "hello"}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 8, "output_tokens": 1}}},
        {"type": "content_block_delta", "index": 0, "delta": text},
        {"type": "message_delta", "delta": {}, "usage": usage},
    ]
    assert _metered(named_frames(events) + STOP).usage == TokenUsage(8, len("hello"))


def test_a_cost_that_the_provider_states_is_reported() -> None:
    body = {"content": [], "usage": {"input_tokens": 1, "output_tokens": 1, "cost": 0.25}}
    assert meter_answer(msgspec.json.encode(body)).reported_cost_usd == Decimal("0.25")


@pytest.mark.parametrize(
    "unreadable",
    [b"<html>", b'{"content":"\xff"}', b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"],
)
def test_what_is_unreadable_counts_whole_and_passes(unreadable: bytes) -> None:
    assert meter_answer(unreadable).output_bytes == len(unreadable)
    meter = MessagesStreamMeter()
    assert meter.passes(b"data: " + unreadable + b"\n\n")
    assert meter.output_bytes == len(unreadable)
    assert meter.take(b"data: " + unreadable + b"\n\n") is None


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (b"event: x\ndata: {}\n\n", b"{}"),
        (b"event: x\r\ndata: {}\r\n\r\n", b"{}"),
        (b"event: x\ndata: a\ndata: b\n\n", b"a\nb"),
        (b"event: x\nid: 5\ndata: a\n\n", b"a"),
        (b"event: ping\n\n", None),
    ],
)
def test_the_data_of_a_named_frame_are_found(frame: bytes, data: bytes | None) -> None:
    assert data_of(frame) == data


def _unseen(*events: dict[str, Any]) -> Unseen | None:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 8}}}
    return _metered(named_frames([start, *events])).unseen


def test_thinking_is_out_of_sight_until_its_signature_tells_how_long_it_was() -> None:
    begins = {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}}
    summary = {"type": "thinking_delta", "thinking": "hmm"}
    shown = {"type": "content_block_delta", "delta": summary}
    ends = {"type": "content_block_stop", "index": 0}
    assert _unseen() == Unseen(reasons=False, served_calls=0)
    assert _unseen(begins, shown) == Unseen(reasons=True, served_calls=0)
    assert _unseen(begins, shown, ends) == Unseen(reasons=False, served_calls=0)


def test_calls_of_the_providers_tools_are_counted_until_the_totals_are_told() -> None:
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    call = {"type": "content_block_start", "content_block": block}
    assert _unseen(call, call) == Unseen(reasons=False, served_calls=2)
    assert _unseen(call, {"type": "message_delta", "usage": {"output_tokens": 6}}) is None
