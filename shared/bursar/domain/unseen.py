"""Work of a provider that a stream did not tell of before it broke off, and what that is charged.

A caller who leaves takes nothing with them that would be free: what may have been done unseen is
charged as the most that the request allowed, because the cap must hold whoever leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bursar.domain.pricing import Bound
    from bursar.domain.usage import TokenUsage


@dataclass(frozen=True, slots=True)
class Unseen:
    """What a stream without totals leaves open.

    Attributes:
        reasons: whether the model reasoned out of sight, so that no bytes bound its tokens; None
            where its dialect does not tell.
        served_calls: of the provider's own tools, that had begun; None where its dialect does not
            tell.
    """

    reasons: bool | None = None
    served_calls: int | None = None


def begun(bound: Bound, unseen: Unseen | None) -> Bound:
    """A bound without the calls of the provider's own tools that had not begun."""
    calls = None if unseen is None else unseen.served_calls
    if calls is None or calls >= bound.served_calls:
        return bound
    return bound.with_served_calls(calls)


def generated_most(bound: Bound, unseen: Unseen | None, output_bytes: int) -> int:
    """The most tokens that can have been generated, given the bytes that were seen of them."""
    if unseen is None:
        return output_bytes
    reasons = bound.may_reason if unseen.reasons is None else unseen.reasons
    return bound.output_tokens_total if reasons else output_bytes


def with_unseen(known: TokenUsage, bound: Bound, unseen: Unseen | None) -> TokenUsage:
    """Usage that was told so far, with the most that was generated."""
    output = generated_most(bound, unseen, known.output_tokens)
    return replace(known, output_tokens=max(known.output_tokens, output))
