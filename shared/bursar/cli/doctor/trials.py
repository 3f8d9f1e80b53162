"""The model that is called to see what the gateway does, and the most that it may cost.

The gateway itself tells what a request may cost: it refuses one that a budget does not afford, and
says so. So nothing is spent to know it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.calling import DataPlane
from bursar.cli.doctor.waiting import waited_for
from bursar.cli.failures import Failed

if TYPE_CHECKING:
    from bursar.cli.doctor.temporary import Holder, Temporary

MOCK: Final = "mock"
# Both are small enough that a gateway never shortens the answer instead of refusing the request:
# it does not go below 256 tokens, or below what is asked for if that is less.
_SHORT_TOKENS: Final = 8
_LONG_TOKENS: Final = 250
_WORDS: Final = 150
_MOCK_USD_PER_MILLION: Final = Decimal(1)
_NEXT_TO_NOTHING_USD: Final = Decimal("0.000000000001")
_UNPRICED: Final = 402
_SEEN_S: Final = 3.0
_COSTS: Final = re.compile(r"may cost up to \$([0-9.]+[0-9])")


class NoTrialError(Exception):
    """The model cannot be called; says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A model that can be called.

    Attributes:
        is_exact: what a short call costs is exactly what is held for it.
        short_usd: the most that a short call may cost; None where a budget of next to nothing did
            not keep the gateway from serving it.
        long_usd: the most that a long one may cost.
    """

    model: str
    plane: DataPlane
    is_exact: bool
    short_usd: Decimal | None
    long_usd: Decimal
    short: dict[str, Any] = field(repr=False)
    long: dict[str, Any] = field(repr=False)

    def holder(self, temporary: Temporary, label: str, limit_usd: Decimal | None = None) -> Holder:
        """Make a user with a key, and wait until the data plane knows it."""
        holder = temporary.holder(label, self.model, limit_usd)
        self.plane.wait_until_known(holder.key)
        return holder

    def cost_usd(self, short: int, long: int) -> Decimal:
        """The most that so many calls may cost."""
        return short * (self.short_usd or Decimal(0)) + long * self.long_usd


def prepare(temporary: Temporary, url: str, model: str | None) -> Trial:
    """Find out whether a model can be called, and what that may cost.

    Args:
        model: as `provider:model`; None takes the mock provider's, at a price of this run's own.

    Raises:
        NoTrialError: it cannot be called.
        Failed: the gateway does not answer, or fails.
    """
    plane = DataPlane(url)
    name = model or f"{MOCK}:{temporary.name}"
    if model is None:
        temporary.price(name, _MOCK_USD_PER_MILLION)
    poor = temporary.holder("poor", name, _NEXT_TO_NOTHING_USD)
    plane.wait_until_known(poor.key)
    short, long = _body(name, "Say hello.", _SHORT_TOKENS), _body(name, _question(), _LONG_TOKENS)
    short_usd = _quoted(plane, poor, short)
    long_usd = Decimal(0) if short_usd is None else _quoted(plane, poor, long) or Decimal(0)
    return Trial(name, plane, model is None, short_usd, long_usd, short, long)


def _quoted(plane: DataPlane, poor: Holder, body: dict[str, Any]) -> Decimal | None:
    """What the gateway says that a request may cost.

    Raises:
        NoTrialError: it refuses the model.
        Failed: it fails.
    """
    # A price that was just made is seen a moment later.
    answer = waited_for(
        lambda: plane.ask(poor.key, body), lambda one: one.status != _UNPRICED, _SEEN_S
    )
    if answer.status == 200:
        return None
    if answer.is_fault:
        raise Failed(f"A call was answered with {answer.told}")
    found = _COSTS.search(str(answer.error.get("message")))
    if not answer.is_over_budget or found is None:
        raise NoTrialError(answer.told)
    return Decimal(found[1])


def _body(model: str, question: str, tokens: int) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": question}],
        "max_tokens": tokens,
    }


def _question() -> str:
    """What takes a while to answer: the mock repeats it, and models do as they are told."""
    return "Repeat every number: " + " ".join(map(str, range(1, _WORDS + 1)))
