"""What the books read from a provider's Responses, whole or streamed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.passage_streams import PassedStream
from bursar.dialects.request import Terms
from bursar.dialects.responses_answer import meter_answer
from bursar.dialects.responses_stream import ResponsesStreamMeter
from bursar.dialects.responses_usage import read_usage, searches_of
from bursar.dialects.responses_wire import RESPONSES
from bursar.dialects.sse import FrameSplitter
from bursar.domain.unseen import Unseen
from bursar.domain.usage import TokenUsage
from tests.fakes.wire_files import wire_bytes, wire_json

STREAMS = {
    "text": TokenUsage(33, 17, cached_input_tokens=16),
    "tools": TokenUsage(91, 148, reasoning_tokens=96),
    "web-search": TokenUsage(24_310, 420, reasoning_tokens=256, web_searches=2),
    "incomplete": TokenUsage(11, 16),
    "done-after": TokenUsage(70, 12, reasoning_tokens=8),
}
ANSWERS = {
    "text": TokenUsage(33, 17),
    "tools": TokenUsage(91, 148, reasoning_tokens=96),
    "web-search": TokenUsage(24_310, 420, reasoning_tokens=256, web_searches=1),
    "incomplete": TokenUsage(11, 16),
    "failed": TokenUsage(11, 3),
}


def _reader() -> PassedStream:
    return PassedStream(RESPONSES.splitter(), RESPONSES.stream_meter(True))  # noqa: FBT003


def _metered(frames: bytes) -> ResponsesStreamMeter:
    meter = ResponsesStreamMeter()
    for frame in FrameSplitter().feed(frames):
        meter.passes(frame)
    return meter


def _frame(**event: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event))


@pytest.mark.parametrize("case", ANSWERS)
def test_a_whole_answer_tells_its_usage_whatever_its_status(case: str) -> None:
    assert meter_answer(wire_bytes(f"responses/{case}.answer.json")).usage == ANSWERS[case]


def test_a_whole_answer_tells_its_tier_and_what_it_cost() -> None:
    body = msgspec.json.encode(
        {"usage": {"input_tokens": 1, "output_tokens": 2, "cost": 0.25}, "service_tier": "flex"}
    )
    metered = meter_answer(body)
    assert (metered.service_tier, metered.reported_cost_usd) == ("flex", Decimal("0.25"))


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"output": 5, "usage": 5}', b'{"output": [null, 7, "x"]}']
)
def test_an_answer_that_makes_no_sense_is_metered_by_its_length_at_most(body: bytes) -> None:
    metered = meter_answer(body)
    assert metered.usage is None
    assert metered.output_bytes <= max(len(body), 1)


def test_what_was_generated_is_counted_without_what_was_not() -> None:
    item = {
        "id": "msg_a_long_id_that_no_model_made",
        "type": "message",
        "content": [{"type": "output_text", "text": "Bärn", "annotations": [{"url": "x" * 99}]}],
    }
    call = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c" * 50}
    body = msgspec.json.encode({"output": [item, call]})
    assert meter_answer(body).output_bytes == len("Bärn".encode()) + 3


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_passes_unchanged_and_its_terminal_event_waits(case: str) -> None:
    raw = wire_bytes(f"responses/{case}.sse")
    reader = _reader()
    passed = reader.feed(raw)
    assert reader.is_done
    assert reader.usage == STREAMS[case]
    assert reader.error is None
    assert (passed + reader.last_words()) == raw.removesuffix(b"data: [DONE]\n\n")
    assert reader.last_words().startswith(b"event: response.")


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_may_be_cut_at_any_byte(case: str) -> None:
    raw = wire_bytes(f"responses/{case}.sse")
    frames = FrameSplitter().feed(raw)
    for at in range(len(raw)):
        splitter = RESPONSES.splitter()
        assert splitter.feed(raw[:at]) + splitter.feed(raw[at:]) == frames


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_may_come_byte_by_byte(case: str) -> None:
    raw = wire_bytes(f"responses/{case}.sse")
    reader, whole = _reader(), _reader()
    passed = b"".join(reader.feed(raw[at : at + 1]) for at in range(len(raw)))
    assert (passed, reader.last_words()) == (whole.feed(raw), whole.last_words())
    assert (reader.usage, reader.output_bytes) == (whole.usage, whole.output_bytes)


@pytest.mark.parametrize("case", ["text", "tools", "web-search", "incomplete"])
def test_a_stream_counts_no_less_than_the_whole_answer_has(case: str) -> None:
    whole = meter_answer(wire_bytes(f"responses/{case}.answer.json")).output_bytes
    raw = wire_bytes(f"responses/{case}.sse")
    assert _metered(raw).output_bytes >= whole
    # The terminal event is not needed for that
    assert _metered(raw[: raw.rindex(b"event: ")]).output_bytes >= whole


def test_the_tier_is_the_one_that_it_was_served_in() -> None:
    raw = wire_bytes("responses/text.sse")
    assert _metered(raw).service_tier == "default"
    assert _metered(raw[: raw.rindex(b"event: ")]).service_tier == "auto"


def test_a_stream_may_tell_what_it_cost() -> None:
    assert _metered(wire_bytes("responses/done-after.sse")).reported_cost_usd == Decimal(
        "0.000012300"
    )


def test_a_stream_without_its_terminal_event_is_not_done() -> None:
    raw = wire_bytes("responses/text.sse")
    meter = _metered(raw[: raw.rindex(b"event: ")] + b"data: [DONE]\n\n")
    assert not meter.is_done
    assert meter.usage is None


def test_usage_told_before_the_end_is_not_what_was_used() -> None:
    early = {"usage": {"input_tokens": 9, "output_tokens": 0}}
    assert _metered(_frame(type="response.in_progress", response=early)).usage is None


def test_a_failed_response_is_over_and_metered_and_an_error() -> None:
    reader = _reader()
    passed = reader.feed(wire_bytes("responses/failed.sse"))
    assert reader.is_done
    assert reader.usage == TokenUsage(11, 3)
    assert reader.error is not None
    assert reader.error.said == "server_error: The model produced an error."
    assert b"response.failed" not in passed
    assert reader.last_words().startswith(b"event: response.failed\n")


@pytest.mark.parametrize(
    "frame",
    [
        _frame(type="error", code="overloaded", message="Try later", sequence_number=1),
        _frame(type="error", error={"code": "overloaded", "message": "Try later"}),
        b'data: {"error":{"code":"overloaded","message":"Try later"}}\n\n',
    ],
)
def test_an_error_event_is_kept_for_the_books_and_breaks_the_stream(frame: bytes) -> None:
    meter = ResponsesStreamMeter()
    assert not meter.passes(frame)
    assert not meter.is_done
    assert meter.error is not None
    assert (meter.error.said, meter.error.status) == ("overloaded: Try later", 503)


def test_nothing_follows_the_terminal_event() -> None:
    meter = _metered(wire_bytes("responses/text.sse"))
    assert not meter.passes(b": comment\n\n")
    assert not meter.passes(b"data: [DONE]\n\n")
    assert meter.take(b'data: {"type":"x"}\n\n') is None
    before = meter.output_bytes
    meter.passes(b'data: {"delta":"more"}\n\n')
    assert meter.output_bytes == before


def test_events_are_given_to_translators_but_for_what_is_none() -> None:
    meter = ResponsesStreamMeter()
    assert meter.take(b": ping\n\n") is None
    assert meter.take(b"data: [DONE]\n\n") is None
    assert meter.take(b"data: {broken\n\n") is None
    events = [
        event
        for frame in FrameSplitter().feed(wire_bytes("responses/text.sse"))
        if (event := meter.take(frame)) is not None
    ]
    assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")
    assert meter.usage == STREAMS["text"]


def test_what_cannot_be_read_passes_and_counts_by_its_length() -> None:
    meter = ResponsesStreamMeter()
    deep = b"[" * 100_000
    for data in (b"{broken", b'{"response": 5}', b'{"delta": %b' % deep):
        before = meter.output_bytes
        assert meter.passes(b"data: " + data + b"\n\n")
        assert meter.output_bytes == before + len(data)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ([], None),
        ({"input_tokens": 0, "output_tokens": 0}, None),
        ({"total_tokens": 9}, TokenUsage(9, 0)),
        # Some leave reasoning out of the output and not out of the total
        ({"input_tokens": 4, "output_tokens": 2, "total_tokens": 9}, TokenUsage(4, 5)),
        ({"input_tokens": True, "output_tokens": -2, "total_tokens": "5"}, None),
        ({"input_tokens": 10**13, "output_tokens": 3}, TokenUsage(0, 3)),
        # Parts are no larger than what they are parts of
        (
            {
                "input_tokens": 5,
                "input_tokens_details": {"cached_tokens": 9, "cache_write_tokens": 9},
                "output_tokens": 2,
                "output_tokens_details": {"reasoning_tokens": 9},
            },
            TokenUsage(5, 2, cached_input_tokens=5, reasoning_tokens=2),
        ),
    ],
)
def test_usage_is_read_whatever_its_shape(usage: Any, expected: TokenUsage | None) -> None:
    assert read_usage(usage) == expected


def test_searches_are_counted_by_the_provider_or_by_their_items() -> None:
    items = wire_json("responses/web-search.answer.json")["output"]
    assert searches_of(items) == 2  # the third only opened a page
    assert searches_of(items, {"web_search": {"num_requests": 0}}) == 0
    assert searches_of(items, {"web_search": None}) == 2
    assert searches_of([{"type": "web_search_call"}]) == 1


@given(data=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_bytes_break_the_meters(data: bytes) -> None:
    meter_answer(data)
    meter = ResponsesStreamMeter()
    for frame in FrameSplitter().feed(b"data: " + data + b"\n\n"):
        meter.passes(frame)
    assert meter.output_bytes >= 0


def test_a_translated_request_is_settled_for_its_provider() -> None:
    terms = Terms("m", output_tokens=5, dropped_fields=frozenset({"store"}))
    document = {"model": "a:m", "input": "x", "store": False, "max_output_tokens": 9}
    settle = RESPONSES.settle_terms
    assert settle(document, terms, True) == {  # noqa: FBT003 (see WireDialect)
        "model": "m",
        "input": "x",
        "max_output_tokens": 5,
        "stream": True,
    }
    assert "stream" not in settle(document, Terms("m"), False)  # noqa: FBT003


def _item(kind: str, event: str = "added", index: int = 0, **item: Any) -> bytes:
    item = {"type": kind, **item}
    return _frame(type=f"response.output_item.{event}", output_index=index, item=item)


def test_reasoning_is_out_of_sight_until_its_contents_tell_how_long_it_was() -> None:
    begins, words = _item("reasoning"), _item("message", index=1)
    summary = _frame(type="response.reasoning_summary_text.delta", output_index=0, delta="hm")
    whole = _item("reasoning", "done", encrypted_content="gAAAA", summary=[])
    without = _item("reasoning", "done", encrypted_content=None, summary=[{"text": "hm"}])
    assert _metered(words).unseen == Unseen(reasons=False, served_calls=0)
    assert _metered(begins + summary).unseen == Unseen(reasons=True, served_calls=0)
    assert _metered(begins + whole + words).unseen == Unseen(reasons=False, served_calls=0)
    assert _metered(begins + without + words).unseen == Unseen(reasons=True, served_calls=0)


def test_reasoning_that_is_shown_is_in_sight() -> None:
    shown = _item("reasoning", "done", content=[{"type": "reasoning_text", "text": "hm"}])
    assert _metered(_item("reasoning") + shown).unseen == Unseen(reasons=False, served_calls=0)
    word = _frame(type="response.reasoning_text.delta", output_index=0, delta="hm")
    assert _metered(_item("reasoning") + word).unseen == Unseen(reasons=False, served_calls=0)


def test_calls_of_the_providers_tools_are_counted_as_they_begin() -> None:
    calls = _item("web_search_call") + _item("function_call", index=1) + _item("mcp_call", index=2)
    assert _metered(calls).unseen == Unseen(reasons=False, served_calls=2)


def test_nothing_is_unseen_once_the_usage_is_told() -> None:
    assert _metered(wire_bytes("responses/web-search.sse")).unseen is None
