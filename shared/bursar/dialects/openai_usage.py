"""The `usage` object of OpenAI-shaped answers, normalised.

Providers differ in what they count: xAI leaves reasoning out of `completion_tokens` but not out of
`total_tokens`, DeepSeek reports cached input as `prompt_cache_hit_tokens`. Output is therefore
whatever the total has beyond the prompt, if that is more.
"""

from __future__ import annotations

from typing import Any

from bursar.domain.usage import TokenUsage

# No answer is that long, and a price times anything longer may not fit the books' digits.
_COUNT_MAX = 10**12


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
    cached = max(
        _count(usage.get("prompt_tokens_details"), "cached_tokens"),
        _count(usage, "prompt_cache_hit_tokens"),
    )
    return TokenUsage(prompt, output, min(cached, prompt))


def larger(first: TokenUsage | None, second: TokenUsage | None) -> TokenUsage | None:
    """Join what a stream reports more than once, field by field, upwards.

    Cached input is the last report's: it only says how the input is split.
    """
    if first is None or second is None:
        return first or second
    return TokenUsage(
        max(first.input_tokens, second.input_tokens),
        max(first.output_tokens, second.output_tokens),
        second.cached_input_tokens,
    )


def _count(holder: Any, field: str) -> int:
    value = holder.get(field) if isinstance(holder, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value <= _COUNT_MAX else 0
