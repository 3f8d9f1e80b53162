from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bursar.dialects.openai_answer import meter_answer
from bursar.dialects.openai_stream import ChatStreamMeter
from bursar.dialects.openai_usage import larger, read_usage, reported_cost
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
        (
            {
                "prompt_tokens": 90,
                "completion_tokens": 20,
                "prompt_tokens_details": {
                    "cached_tokens": 40,
                    "audio_tokens": 7,
                    "cache_write_tokens": 60,
                },
                "completion_tokens_details": {"reasoning_tokens": 15, "audio_tokens": 99},
                "num_search_queries": 2,
            },
            TokenUsage(
                90,
                20,
                40,
                cache_write_tokens=50,
                input_audio_tokens=7,
                output_audio_tokens=20,
                reasoning_tokens=15,
                web_searches=2,
            ),
        ),
        # DeepSeek
        ({"prompt_tokens": 5, "prompt_cache_hit_tokens": 4}, TokenUsage(5, 0, 4)),
        ({"prompt_tokens": 5, "prompt_cache_hit_tokens": 9}, TokenUsage(5, 0, 5)),
        # Moonshot, beside the totals
        (
            {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cached_tokens": 4},
            TokenUsage(9, 2, 4),
        ),
        ({"prompt_tokens": 5, "cached_tokens": 9}, TokenUsage(5, 0, 5)),
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
    stream = ChatStreamMeter(withhold_usage=True)
    assert stream.passes(b"data: " + unreadable + b"\n\n")
    assert stream.output_bytes == len(unreadable)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.00014}, "0.00014"),
        ({"cost": 2}, "2"),
        ({"cost": {"total_cost": 0.006}}, "0.006"),
        ({"cost": "0.1"}, None),
        ({"cost": True}, None),
        ({"cost": -1}, None),
        ({"cost": 1e300}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_cost_that_the_provider_reports_is_read(usage: Any, cost: str | None) -> None:
    assert reported_cost(usage) == (None if cost is None else Decimal(cost))
