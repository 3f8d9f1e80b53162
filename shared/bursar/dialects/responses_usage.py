"""The `usage` object of Responses answers, normalised.

Source: OpenAI's API reference for `POST /v1/responses`. What is billed by the call stands outside
of it: searches of the web are counted by `tool_usage`, or else by the output's own items.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bursar.dialects.counts import count_in
from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Iterable

# What a search call may do without being billed: reading what it found.
_UNBILLED_ACTIONS = frozenset({"open_page", "find", "find_in_page"})


def read_usage(usage: Any) -> TokenUsage | None:
    """Normalise a usage object; None where it is missing, malformed or all zeros."""
    if not isinstance(usage, dict):
        return None
    given, total = count_in(usage, "input_tokens"), count_in(usage, "total_tokens")
    output = max(count_in(usage, "output_tokens"), total - given if given else 0)
    if not given and not output:
        given = total
    if not given and not output:
        return None
    read, written = usage.get("input_tokens_details"), usage.get("output_tokens_details")
    cached = min(count_in(read, "cached_tokens"), given)
    return TokenUsage(
        given,
        output,
        cached,
        cache_write_tokens=min(count_in(read, "cache_write_tokens"), given - cached),
        input_audio_tokens=min(count_in(read, "audio_tokens"), given),
        input_image_tokens=min(count_in(read, "image_tokens"), given),
        output_audio_tokens=min(count_in(written, "audio_tokens"), output),
        output_image_tokens=min(count_in(written, "image_tokens"), output),
        reasoning_tokens=min(count_in(written, "reasoning_tokens"), output),
    )


def with_searches(usage: TokenUsage | None, web_searches: int) -> TokenUsage | None:
    """The usage with the searches that were counted, never fewer than it already has."""
    if usage is None or web_searches <= usage.web_searches:
        return usage
    return replace(usage, web_searches=web_searches)


def searches_of(output: Iterable[Any], tool_usage: Any = None) -> int:
    """How many searches of the web an answer is billed for.

    Args:
        output: its items.
        tool_usage: what the provider counted itself, which leaves out what it does not bill.
    """
    if isinstance(tool_usage, dict):
        reported = tool_usage.get("web_search")
        if isinstance(reported, dict) and "num_requests" in reported:
            return count_in(reported, "num_requests")
    return sum(is_search(item) for item in output)


def is_search(item: Any) -> bool:
    """Tell whether an output item is a search of the web that is billed."""
    if not isinstance(item, dict) or item.get("type") != "web_search_call":
        return False
    action = item.get("action")
    kind = action.get("type") if isinstance(action, dict) else None
    return not isinstance(kind, str) or kind not in _UNBILLED_ACTIONS
