"""Quotes: the most a request can cost, and how it is made to fit what is left."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bursar.domain import pricing
from bursar.domain.errors import Unpriceable
from bursar.domain.money import ZERO
from bursar.domain.price_command import how_to_price
from bursar.domain.pricing import Bound, Price

if TYPE_CHECKING:
    from decimal import Decimal

    from bursar.dialects.request import InferenceRequest
    from bursar.services.policy import Policy


@dataclass(frozen=True, slots=True)
class Quote:
    """An upper bound with its price.

    Attributes:
        price: None for a model without one, which is then served at no recorded cost.
        useful_output_tokens: the shortest answer worth giving.
        imposed_output_tokens: the output limit that the gateway puts into the request, or None.
        is_limited: a budget's limit applies, so the provider must be held to the bound.
        imposed_calls: how often the gateway lets the provider's own tools run, or None.
        was_lowered: the limit is below what the caller would have got with money enough.
    """

    bound: Bound
    price: Price | None
    useful_output_tokens: int
    imposed_output_tokens: int | None = None
    is_limited: bool = False
    imposed_calls: int | None = None
    was_lowered: bool = False

    @property
    def amount_usd(self) -> Decimal:
        return ZERO if self.price is None else pricing.quote(self.bound, self.price)

    @property
    def is_free(self) -> bool:
        return self.price is not None and self.price.is_free

    def lowered_to(self, left_usd: Decimal) -> Quote | None:
        """The same request made to fit, None if what fits is of no use.

        Calls of the provider's own tools go first, all but one; then the answer gets shorter.
        """
        if self.price is None:
            return None
        bound, imposed_calls = self.bound, self.imposed_calls
        if 0 < bound.served_calls_min < bound.served_calls:
            bound = _with_affordable_calls(bound, self.price, left_usd)
            imposed_calls = bound.served_calls
            if pricing.quote(bound, self.price) <= left_usd:
                return replace(self, bound=bound, imposed_calls=imposed_calls)
        if not bound.output_tokens or not bound.takes_output_limit:
            return None
        tokens = pricing.affordable_output_tokens(bound, self.price, left_usd)
        if tokens < min(self.useful_output_tokens, bound.output_tokens):
            return None
        return replace(
            self,
            bound=replace(bound, output_tokens=tokens),
            imposed_output_tokens=tokens,
            imposed_calls=imposed_calls,
            was_lowered=True,
        )


def _with_affordable_calls(bound: Bound, price: Price, left_usd: Decimal) -> Bound:
    """The bound with the most calls that fit, or with the fewest there may be."""
    fewer = range(bound.served_calls_min, bound.served_calls)
    fitting = bisect_right(
        fewer, left_usd, key=lambda calls: pricing.quote(bound.with_served_calls(calls), price)
    )
    return bound.with_served_calls(fewer[max(fitting - 1, 0)])


def quote_request(
    request: InferenceRequest, price: Price | None, policy: Policy, *, is_limited: bool
) -> Quote:
    """Bound and price a request.

    Args:
        is_limited: some budget's limit applies, so the bound must be one that holds.

    Raises:
        Unpriceable: no price, or something in it that no token price covers, unless allowed.
    """
    if price is None and not policy.allow_unpriced:
        raise Unpriceable(
            f"Model '{request.model}' has no price. An administrator sets one by "
            f"{how_to_price(str(request.model), request.endpoint)}"
        )
    bound = request.bound(price, policy.output_tokens_default)
    is_unbounded = request.declared_output_tokens is None and (
        price is None or price.max_output_tokens is None
    )
    imposed = bound.output_tokens if is_limited and is_unbounded else None
    imposed_calls = bound.served_calls if bound.imposes_calls else None
    return Quote(
        bound, price, policy.useful_output_tokens, imposed, is_limited, imposed_calls=imposed_calls
    )
