"""An imposed output limit in a Messages request, whose thinking shares it.

Anthropic wants `thinking.budget_tokens` to be at least 1,024 and below `max_tokens`. Where a lower
limit is imposed, the thinking keeps its share of the answer; where too little is left to think at
all, the request is refused, since an answer without thinking is not what was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

THINKING_TOKENS_MIN = 1_024


def imposed_limit(
    limit_tokens: int, max_tokens: int | None, thinking: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The fields of a request that hold it to a limit.

    Args:
        limit_tokens: the limit.
        max_tokens: the request's own.
        thinking: the request's own.

    Raises:
        InvalidRequest: the limit leaves no room for the thinking that was asked for.
    """
    budget = (thinking or {}).get("budget_tokens")
    if not isinstance(budget, int) or budget < limit_tokens:
        return {"max_tokens": limit_tokens}
    if max_tokens is not None and budget >= max_tokens:
        # Interleaved with the calls of tools, thinking may go on beyond `max_tokens`.
        return {"max_tokens": limit_tokens}
    if limit_tokens <= THINKING_TOKENS_MIN:
        raise InvalidRequest(
            f"The remaining budget allows {limit_tokens} output tokens, which leaves no room for "
            f"thinking: turn thinking off, or wait for a larger budget",
            param="thinking.budget_tokens",
        )
    share = limit_tokens - 1 if max_tokens is None else budget * limit_tokens // max_tokens
    lowered = {**(thinking or {}), "budget_tokens": max(THINKING_TOKENS_MIN, share)}
    return {"max_tokens": limit_tokens, "thinking": lowered}
