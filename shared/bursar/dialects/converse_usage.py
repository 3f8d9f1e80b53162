"""The `usage` of Bedrock's Converse answers, normalised.

What was read from and written to a cache is counted beside `inputTokens`, not in it (AWS, Amazon
Bedrock User Guide, "Prompt caching"). Output is whatever the total has beyond the input, if that
is more than `outputTokens`.
"""

from __future__ import annotations

from typing import Any

from bursar.dialects.counts import count_in
from bursar.domain.usage import TokenUsage


def read_converse_usage(usage: Any) -> TokenUsage | None:
    """Normalise a usage object; None where it is missing, malformed or all zeros."""
    if not isinstance(usage, dict):
        return None
    cached = count_in(usage, "cacheReadInputTokens")
    by_ttl = _written_by_ttl(usage.get("cacheDetails"))
    written = max(count_in(usage, "cacheWriteInputTokens"), sum(by_ttl.values()))
    read = count_in(usage, "inputTokens") + cached + written
    total = count_in(usage, "totalTokens")
    output = max(count_in(usage, "outputTokens"), total - read if read else 0)
    if not read and not output:
        read = total
    if not read and not output:
        return None
    return TokenUsage(
        read,
        output,
        cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=by_ttl.get("1h", 0),
    )


def _written_by_ttl(details: Any) -> dict[str, int]:
    """Tokens written to a cache, by how long it keeps them."""
    by_ttl: dict[str, int] = {}
    for detail in details if isinstance(details, list) else []:
        ttl = detail.get("ttl") if isinstance(detail, dict) else None
        if isinstance(ttl, str):
            by_ttl[ttl] = by_ttl.get(ttl, 0) + count_in(detail, "inputTokens")
    return by_ttl
