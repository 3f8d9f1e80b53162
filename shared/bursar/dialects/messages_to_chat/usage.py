"""Makes Anthropic's `usage` of a chat's, for the caller's eyes; the books have their own reader.

Anthropic counts what was read from a cache, and written to one, beside `input_tokens`; a chat's
`prompt_tokens` are all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.counts import count_in
from bursar.dialects.openai_usage import read_usage
from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIERS: Final[Mapping[str, str]] = {"default": "standard", "priority": "priority"}


def messages_usage(usage: Any, service_tier: Any = None) -> dict[str, Any]:
    """The usage object; zeros where the provider told none."""
    used = read_usage(usage) or TokenUsage()
    made: dict[str, Any] = {
        "input_tokens": used.input_tokens - used.cached_input_tokens - used.cache_write_tokens,
        "cache_creation_input_tokens": used.cache_write_tokens,
        "cache_read_input_tokens": used.cached_input_tokens,
        "output_tokens": used.output_tokens,
    }
    an_hour = min(_written_for_an_hour(usage), used.cache_write_tokens)
    if an_hour:
        made["cache_creation"] = {
            "ephemeral_5m_input_tokens": used.cache_write_tokens - an_hour,
            "ephemeral_1h_input_tokens": an_hour,
        }
    if used.reasoning_tokens:
        made["output_tokens_details"] = {"thinking_tokens": used.reasoning_tokens}
    if isinstance(service_tier, str) and service_tier in _TIERS:
        made["service_tier"] = _TIERS[service_tier]
    return made


def _written_for_an_hour(usage: Any) -> int:
    read = usage.get("prompt_tokens_details") if isinstance(usage, dict) else None
    by_age = read.get("cache_creation_token_details") if isinstance(read, dict) else None
    return count_in(by_age, "ephemeral_1h_input_tokens")
