"""Reads the `usage` of a Messages answer for the caller's eyes; the books read it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Mapping


def usage_of(usage: Mapping[str, Any]) -> TokenUsage:
    """Anthropic counts what it read from and wrote to a cache beside `input_tokens`."""
    cached = _count(usage, "cache_read_input_tokens")
    written = _count(usage, "cache_creation_input_tokens")
    return TokenUsage(
        input_tokens=_count(usage, "input_tokens") + cached + written,
        output_tokens=_count(usage, "output_tokens"),
        cached_input_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=_count(usage.get("cache_creation"), "ephemeral_1h_input_tokens"),
        reasoning_tokens=_count(usage.get("output_tokens_details"), "thinking_tokens"),
    )


def _count(holder: Any, name: str) -> int:
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, int) and value > 0 else 0
