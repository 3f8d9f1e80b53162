from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.otlp_traces import NotTraces, read_calls
from tests.fakes.otlp import COUNTED, STARTED_NS, Span, export


def test_a_call_is_read_with_its_counts_and_times() -> None:
    attributes = {
        **COUNTED,
        "anyllm.client_name": "web",
        "anyllm.performance.ttft_ms": 127.67,
        "anyllm.stream.cancelled": True,
    }
    span = Span(attributes, trace_id=b"\x01" * 16, span_id=b"\x02" * 8)

    (call,) = read_calls(export(span))

    assert call.span_id == f"{'01' * 16}/{'02' * 8}"
    assert (call.provider, call.model, call.client_name) == ("openai", "gpt-4o-mini", "web")
    assert (call.input_tokens, call.output_tokens) == (11, 7)
    assert call.first_token_ms == 127.67
    assert (call.started_ns, call.ended_ns) == (STARTED_NS, STARTED_NS + 2 * 10**9)
    assert call.is_cancelled
    assert not call.has_failed


@pytest.mark.parametrize(
    "span",
    [
        Span(name="llm.response"),
        Span(scope="my-application"),
        Span(provider=""),
        Span(model=""),
        Span(trace_id=b""),
        Span(span_id=b""),
    ],
)
def test_spans_that_are_no_call_are_passed_over(span: Span) -> None:
    assert read_calls(export(span)) == []


def test_a_call_that_failed_is_read_without_counts() -> None:
    (call,) = read_calls(export(Span({"error.type": "RateLimitError"}, has_failed=True)))

    assert call.has_failed
    assert (call.input_tokens, call.output_tokens) == (None, None)


@pytest.mark.parametrize("odd", ["11", 11.0, True, -1])
def test_a_count_that_is_no_count_is_none(odd: str | float) -> None:
    (call,) = read_calls(export(Span({"gen_ai.usage.input_tokens": odd})))

    assert call.input_tokens is None


def test_the_time_to_the_first_token_may_be_a_whole_number() -> None:
    (call,) = read_calls(export(Span({"anyllm.performance.ttft_ms": 127})))

    assert call.first_token_ms == 127.0


def test_no_text_of_a_conversation_is_read() -> None:
    secret = "What did the patient say?"
    texts = ("gen_ai.conversation.id", "anyllm.user_session_label", "gen_ai.prompt", "error.type")

    calls = read_calls(export(Span({**COUNTED, **dict.fromkeys(texts, secret)})))

    assert len(calls) == 1
    assert secret not in repr(calls)


def test_a_request_without_spans_tells_of_no_call() -> None:
    assert read_calls(b"") == []


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read_calls(body)
    except NotTraces as refused:
        assert "OTLP" in str(refused)  # noqa: PT017 (most bytes are refused, some are read)


@given(st.integers(0, 150), st.integers(0, 255))
def test_a_damaged_request_is_read_or_refused(at: int, byte: int) -> None:
    whole = bytearray(export(Span()))
    whole[at % len(whole)] = byte
    try:
        calls = read_calls(bytes(whole))
    except NotTraces:
        return
    assert len(calls) <= 1
