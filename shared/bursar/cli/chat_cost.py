"""What a streamed answer cost: from the books, or from the model's price where they are shut."""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.connection import HttpConnection
from bursar.cli.failures import Failed

if TYPE_CHECKING:
    from bursar.cli.asking import Answer
    from bursar.cli.connection import Connection

# The record is written before the stream ends; only where it is read from may lag behind.
_TRIES: Final = 5
_PAUSE_S: Final = 0.3
_NEWEST: Final = 50
_MILLION: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars; None where nobody can tell.

    Attributes:
        is_estimate: tokens times today's price, which knows of no cache and no tier.
    """

    usd: Decimal | None
    is_estimate: bool = False


def cost_of(answer: Answer, administrator: Connection | None, url: str) -> Cost:
    """What the gateway charged for an answer.

    Args:
        administrator: who may read the books, if anybody.
        url: where prices are public, most often.
    """
    if answer.cost_usd is not None:
        return Cost(answer.cost_usd)
    record = None if administrator is None else _record(administrator, answer.request_id)
    if record is not None:
        return Cost(None if record["cost"] is None else Decimal(record["cost"]))
    return Cost(_estimate(answer, administrator or HttpConnection(url)), is_estimate=True)


def _record(administrator: Connection, request_id: str | None) -> dict[str, Any] | None:
    for number in range(_TRIES):
        if number:
            time.sleep(_PAUSE_S)
        page = administrator.ask("GET", "/v1/usage", query={"limit": _NEWEST})
        for record in page["data"]:
            if record["id"] == request_id:
                return dict(record)
    return None


def _estimate(answer: Answer, connection: Connection) -> Decimal | None:
    try:
        found = connection.ask("GET", "/v1/pricing/effective", query={"model": answer.model})
    except Failed:
        return None
    price = found["price"]
    if price is None:
        return None
    rates = (price["input_price_per_million"], price["output_price_per_million"])
    counts = (answer.tokens.input, answer.tokens.output)
    return (
        sum(
            (count * Decimal(rate or 0) for count, rate in zip(counts, rates, strict=True)),
            Decimal(0),
        )
        / _MILLION
    )
