"""The `usage` object of OpenAI-shaped answers, normalised.

Providers differ in what they count: xAI leaves reasoning out of `completion_tokens` but not out of
`total_tokens`, so output is whatever the total has beyond the prompt, if that is more. DeepSeek
reports cached input as `prompt_cache_hit_tokens`, others as `cached_tokens` beside the totals.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.domain.money import round_up
from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

# No answer is that long, and a price times anything longer may not fit the books' digits.
_COUNT_MAX = 10**12
_COST_USD_MAX = 10**6

_INPUT, _OUTPUT = "prompt_tokens_details", "completion_tokens_details"
_CACHED_BESIDE = ("prompt_cache_hit_tokens", "cached_tokens")
# What most usage objects are made of: they have no part that may cost another rate.
_PLAIN = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


def read_usage(usage: Any) -> TokenUsage | None:
    """Normalise a usage object; None where it is missing, malformed or all zeros."""
    if not isinstance(usage, dict):
        return None
    prompt = _count(usage, "prompt_tokens")
    total = _count(usage, "total_tokens")
    output = max(_count(usage, "completion_tokens"), total - prompt if prompt else 0)
    if not prompt and not output:
        prompt = total
    if not prompt and not output:
        return None
    if _PLAIN.issuperset(usage):
        return TokenUsage(prompt, output)
    cached = max(
        _count(usage.get(_INPUT), "cached_tokens"), *(_count(usage, it) for it in _CACHED_BESIDE)
    )
    return _detailed(usage, prompt, output, min(cached, prompt))


def _detailed(usage: Mapping[str, Any], prompt: int, output: int, cached: int) -> TokenUsage:
    read, written = usage.get(_INPUT), usage.get(_OUTPUT)
    return TokenUsage(
        prompt,
        output,
        cached,
        cache_write_tokens=min(_count(read, "cache_write_tokens"), prompt - cached),
        input_audio_tokens=min(_count(read, "audio_tokens"), prompt),
        input_image_tokens=min(_count(read, "image_tokens"), prompt),
        output_audio_tokens=min(_count(written, "audio_tokens"), output),
        output_image_tokens=min(_count(written, "image_tokens"), output),
        reasoning_tokens=min(_count(written, "reasoning_tokens"), output),
        web_searches=max(
            _count(usage, "num_search_queries"),
            _count(usage.get("server_tool_use"), "web_search_requests"),
        ),
    )


def reported_cost(usage: Any) -> Decimal | None:
    """What the provider itself says that it charges, in US dollars; None where it does not.

    OpenRouter gives `usage.cost`, Perplexity `usage.cost.total_cost`.
    """
    cost = usage.get("cost") if isinstance(usage, dict) else None
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    if isinstance(cost, bool) or not isinstance(cost, int | float):
        return None
    return round_up(Decimal(str(cost))) if 0 <= cost <= _COST_USD_MAX else None


def larger(first: TokenUsage | None, second: TokenUsage | None) -> TokenUsage | None:
    """Join what a stream reports more than once, field by field, upwards.

    The parts are the last report's: they only say how the totals are split.
    """
    if first is None or second is None:
        return first or second
    return replace(
        second,
        input_tokens=max(first.input_tokens, second.input_tokens),
        output_tokens=max(first.output_tokens, second.output_tokens),
        web_searches=max(first.web_searches, second.web_searches),
    )


def _count(holder: Any, field: str) -> int:
    value = holder.get(field) if isinstance(holder, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value <= _COUNT_MAX else 0
