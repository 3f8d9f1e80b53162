from __future__ import annotations

from typing import Any

import pytest

from bursar.dialects.openai_answer import meter_answer
from bursar.dialects.openai_stream import StreamMeter
from bursar.dialects.openai_usage import larger, read_usage
from bursar.domain.usage import TokenUsage


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}, TokenUsage(5, 3)),
        ({"prompt_tokens": 5, "completion_tokens": 3}, TokenUsage(5, 3)),
        # xAI: reasoning is in the total only
        ({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 28}, TokenUsage(5, 23)),
        (
            {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}},
            TokenUsage(5, 0, 4),
        ),
        # DeepSeek
        ({"prompt_tokens": 5, "prompt_cache_hit_tokens": 4}, TokenUsage(5, 0, 4)),
        ({"prompt_tokens": 5, "prompt_cache_hit_tokens": 9}, TokenUsage(5, 0, 5)),
        # Voyage: a total is all there is
        ({"total_tokens": 7}, TokenUsage(7, 0)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None),
        ({"prompt_tokens": -5}, None),
        ({"prompt_tokens": "5"}, None),
        ({"prompt_tokens": True}, None),
        ({"prompt_tokens": 10**50}, None),
        ({"prompt_tokens": None, "prompt_tokens_details": None}, None),
        (None, None),
        ("x", None),
    ],
)
def test_usage_is_read_whatever_the_provider_calls_it(
    usage: Any, expected: TokenUsage | None
) -> None:
    assert read_usage(usage) == expected


def test_a_usage_reported_twice_is_the_larger_of_the_two() -> None:
    assert larger(TokenUsage(5, 1), TokenUsage(5, 9)) == TokenUsage(5, 9)
    assert larger(TokenUsage(5, 9), TokenUsage(0, 3)) == TokenUsage(5, 9)
    assert larger(None, TokenUsage(1, 2)) == TokenUsage(1, 2)


def test_all_that_was_generated_is_counted_in_bytes() -> None:
    body = (
        b'{"choices":[{"message":{"content":"four","reasoning_content":"six...",'
        b'"tool_calls":[{"function":{"arguments":"{}"}}]}},{"message":{"content":"four"}}]}'
    )
    metered = meter_answer(body)
    assert metered.usage is None
    assert metered.output_bytes > 4 + 6 + 4


@pytest.mark.parametrize(
    "unreadable",
    [
        b"<html>",
        b'{"choices":[{"message":{"content":"\xff"},"delta":{"content":"\xff"}}]}',
        b'{"usage":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    ],
)
def test_what_is_unreadable_counts_whole_and_passes(unreadable: bytes) -> None:
    assert meter_answer(unreadable).output_bytes == len(unreadable)
    stream = StreamMeter(withhold_usage=True)
    assert stream.passes(b"data: " + unreadable + b"\n\n")
    assert stream.output_bytes == len(unreadable)
