"""The `usage` object of Anthropic's Messages, normalised.

`input_tokens` leaves out what was read from the cache and what was written to it: all three
together are the input. Source: Anthropic's references for prompt caching and for the API's usage,
whose `iterations` also count what the totals leave out, such as a compaction.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bursar.dialects.counts import count_in
from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FAST_TIER = "fast"
"""The tier of Anthropic's fast mode, which has a price of its own."""


def read_usage(usage: Any) -> TokenUsage | None:
    """Normalise a usage object; None where it is missing, malformed or all zeros."""
    if not isinstance(usage, dict):
        return None
    used = _totals(usage)
    iterations = usage.get("iterations")
    if isinstance(iterations, list):
        used = _at_least(used, [_totals(each) for each in iterations if isinstance(each, dict)])
    return used if used.total_tokens else None


def read_tier(usage: Any) -> str | None:
    """The service tier that an answer was made in, None where it does not say."""
    if not isinstance(usage, dict):
        return None
    if usage.get("speed") == FAST_TIER:
        return FAST_TIER
    tier = usage.get("service_tier")
    return tier if isinstance(tier, str) else None


def joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """A stream's later report over its earlier one, which may know fields that the later omits."""
    return {**first, **{field: value for field, value in second.items() if value is not None}}


def _totals(usage: Mapping[str, Any]) -> TokenUsage:
    by_age = usage.get("cache_creation")
    an_hour = count_in(by_age, "ephemeral_1h_input_tokens")
    written = max(
        count_in(usage, "cache_creation_input_tokens"),
        an_hour + count_in(by_age, "ephemeral_5m_input_tokens"),
    )
    cached = count_in(usage, "cache_read_input_tokens")
    output = count_in(usage, "output_tokens")
    thought = count_in(usage.get("output_tokens_details"), "thinking_tokens")
    return TokenUsage(
        count_in(usage, "input_tokens") + cached + written,
        output,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=an_hour,
        reasoning_tokens=min(thought, output),
        web_searches=count_in(usage.get("server_tool_use"), "web_search_requests"),
    )


def _at_least(used: TokenUsage, iterations: Iterable[TokenUsage]) -> TokenUsage:
    """The sum of the iterations, if they are more than the totals say."""
    summed = TokenUsage()
    for each in iterations:
        summed = replace(
            summed,
            input_tokens=summed.input_tokens + each.input_tokens,
            output_tokens=summed.output_tokens + each.output_tokens,
            cached_input_tokens=summed.cached_input_tokens + each.cached_input_tokens,
            cache_write_tokens=summed.cache_write_tokens + each.cache_write_tokens,
            cache_write_1h_tokens=summed.cache_write_1h_tokens + each.cache_write_1h_tokens,
        )
    if summed.total_tokens <= used.total_tokens:
        return used
    return replace(summed, reasoning_tokens=used.reasoning_tokens, web_searches=used.web_searches)
