"""What the books read from Bedrock's Converse, whole or streamed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bursar.dialects.converse_meter import ConverseStreamMeter, meter_converse
from bursar.dialects.converse_usage import read_converse_usage
from bursar.dialects.converse_wire import CONVERSE
from bursar.dialects.metering import MeteredAnswer
from bursar.dialects.passage_streams import PassedStream
from bursar.dialects.request import Terms
from bursar.domain.usage import TokenUsage
from tests.fakes import event_stream
from tests.fakes.wire_files import wire_bytes, wire_json

CASES = ["text", "tools", "thinking"]
USAGE = {
    "text": TokenUsage(14, 12),
    "tools": TokenUsage(1_642, 97, cache_write_tokens=1_430, cache_write_1h_tokens=1_000),
    "thinking": TokenUsage(2_010, 45, cached_input_tokens=2_000),
}


def _reader() -> PassedStream:
    return PassedStream(CONVERSE.splitter(), CONVERSE.stream_meter(True))  # noqa: FBT003


def _stream(case: str) -> bytes:
    return event_stream.events(wire_json(f"converse/{case}.events.json"))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"inputTokens": 5, "outputTokens": 3, "totalTokens": 8}, TokenUsage(5, 3)),
        (
            {"inputTokens": 5, "cacheReadInputTokens": 3, "cacheWriteInputTokens": 2},
            TokenUsage(10, 0, cached_input_tokens=3, cache_write_tokens=2),
        ),
        (
            {"inputTokens": 1, "cacheDetails": [{"ttl": "1h", "inputTokens": 7}, {"ttl": 1}, 2]},
            TokenUsage(8, 0, cache_write_tokens=7, cache_write_1h_tokens=7),
        ),
        # What the total has beyond both is output that was not counted.
        ({"inputTokens": 5, "outputTokens": 3, "totalTokens": 11}, TokenUsage(5, 6)),
        ({"totalTokens": 11}, TokenUsage(11, 0)),
        ({"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}, None),
        ({"inputTokens": True, "outputTokens": -1}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_usage_is_the_same_whatever_was_cached(usage: Any, expected: TokenUsage | None) -> None:
    assert read_converse_usage(usage) == expected


@pytest.mark.parametrize("case", CASES)
def test_a_stream_split_at_any_byte_is_metered_the_same_and_its_end_waits(case: str) -> None:
    stream = _stream(case)
    last = event_stream.event(wire_json(f"converse/{case}.events.json")[-1])
    for cut in range(len(stream) + 1):
        reader = _reader()
        passed = reader.feed(stream[:cut]) + reader.feed(stream[cut:]) + reader.feed(None)
        assert passed + reader.last_words() == stream
        assert reader.last_words() == last
        assert reader.is_done
        assert reader.error is None
        assert reader.usage == USAGE[case]


@pytest.mark.parametrize("case", CASES)
def test_output_is_no_less_streamed_than_whole(case: str) -> None:
    answer = meter_converse(wire_bytes(f"converse/{case}.answer.json"))
    assert answer.usage == USAGE[case]
    reader = _reader()
    reader.feed(_stream(case))
    generated = {"text": len("Bonjour, ça va ? 🙂".encode()), "tools": 95, "thinking": 50}
    assert reader.output_bytes >= generated[case]
    assert answer.output_bytes >= generated[case]
    assert answer.service_tier == reader.service_tier == ("flex" if case == "tools" else None)


def test_texts_are_counted_by_their_bytes() -> None:
    answer = meter_converse(wire_bytes("converse/text.answer.json"))
    reader = _reader()
    reader.feed(_stream("text"))
    assert answer.output_bytes == reader.output_bytes == len("Bonjour, ça va ? 🙂".encode())


@pytest.mark.parametrize("end", [-1, -2])
def test_a_stream_that_ends_before_its_usage_is_not_done(end: int) -> None:
    reader = _reader()
    reader.feed(event_stream.events(wire_json("converse/text.events.json")[:end]))
    reader.feed(None)
    assert not reader.is_done
    assert reader.usage is None


def test_usage_before_the_stop_is_kept_and_ends_nothing() -> None:
    events = wire_json("converse/text.events.json")
    reader = _reader()
    reader.feed(event_stream.events([*events[:-2], events[-1]]))
    assert reader.usage == USAGE["text"]
    assert not reader.is_done


def test_an_exception_in_the_stream_is_for_the_books_and_goes_on_to_nobody() -> None:
    reader = _reader()
    begun = event_stream.events(wire_json("converse/text.events.json")[:2])
    failure = event_stream.exception("throttlingException", "Too many tokens")
    assert reader.feed(begun + failure) == begun
    assert reader.error is not None
    assert reader.error.said == 'throttlingException: {"message": "Too many tokens"}'
    assert reader.error.status == 429
    assert not reader.is_done


def test_an_error_without_a_shape_is_told_by_its_headers() -> None:
    headers = {":message-type": "error", ":error-code": "InternalError", ":error-message": "oops"}
    meter = ConverseStreamMeter()
    assert meter.take(event_stream.message(headers, b"")) is None
    assert meter.error is not None
    assert (meter.error.said, meter.error.status) == ("InternalError: oops", 500)


def test_what_cannot_be_read_passes_and_is_metered_by_its_length() -> None:
    headers = {":message-type": "event", ":event-type": "contentBlockDelta"}
    frame = event_stream.message(headers, b"not json")
    meter = ConverseStreamMeter()
    assert meter.passes(frame)
    assert meter.output_bytes == len(b"not json")
    assert meter_converse(b"not json") == MeteredAnswer(None, 8)


def test_an_error_body_has_neither_usage_nor_output() -> None:
    assert meter_converse(b'{"message":"no such model"}') == MeteredAnswer(None, 0)


def test_events_are_decoded_for_a_translator() -> None:
    expected = wire_json("converse/tools.events.json")
    meter = ConverseStreamMeter()
    frames = CONVERSE.splitter().feed(_stream("tools"))
    assert [meter.take(frame) for frame in frames] == expected


def test_an_imposed_limit_is_put_beside_the_other_settings() -> None:
    document = {
        "model": "x",
        "stream": True,
        "messages": [],
        "inferenceConfig": {"maxTokens": 9_000, "topP": 0.5},
    }
    terms = Terms(
        "amazon.nova-pro-v1:0",
        output_tokens=7,
        dropped_fields=frozenset({"gone"}),
        added_fields={"performanceConfig": {"latency": "optimized"}},
    )
    settled = CONVERSE.settle_terms({**document, "gone": 1}, terms, True)  # noqa: FBT003
    assert settled == {
        "messages": [],
        "inferenceConfig": {"maxTokens": 7, "topP": 0.5},
        "performanceConfig": {"latency": "optimized"},
    }
    assert document["inferenceConfig"] == {"maxTokens": 9_000, "topP": 0.5}


def test_without_a_limit_none_is_made_up() -> None:
    settled = CONVERSE.settle_terms({"messages": []}, Terms("m", output_tokens_max=9), False)  # noqa: FBT003
    assert msgspec.json.encode(settled) == b'{"messages":[]}'
