"""`bursar prices`: what models cost."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.confirming import YES, confirm_by_name
from bursar.cli.failures import NOT_FOUND, WRONG_USAGE, Failed
from bursar.cli.fields import FROM_FILE, given, make, path_to, together
from bursar.cli.listing import LIMIT, pages
from bursar.cli.options import administers
from bursar.cli.output import Column, as_instant, as_shown, as_usd
from bursar.cli.values import AMOUNT, COUNT, MOMENT, RATE, SERVICE_TIER, TIER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bursar.cli.options import Session

_PATH: Final = "/v1/pricing"


def _as_rates(value: Any) -> str:
    rates = (value or {}).items()
    return as_shown([f"{unit} {as_usd(rate)}" for unit, rate in rates])


def _as_tiers(value: Any) -> str:
    return "; ".join(
        f"above {tier['above_input_tokens']} input tokens: {_as_rates(tier['rates'])}"
        for tier in value or ()
    ) or as_shown(None)


def _as_service_tiers(value: Any) -> str:
    tiers = (value or {}).items()
    return "; ".join(f"{name}: {_as_rates(tier['rates'])}" for name, tier in tiers) or "-"


def _as_day(value: Any) -> str:
    """A day with how long ago it was, for public prices get old."""
    if value is None:
        return as_shown(None)
    age_days = (datetime.now(UTC).date() - date.fromisoformat(value)).days
    return f"{value} ({age_days} days old)" if age_days > 1 else str(value)


def _as_upcoming(value: Any) -> str:
    return as_shown([as_instant(price["effective_from"]) for price in value or ()])


RATES: Final = (
    Column("input_price_per_million", "INPUT/M", as_usd, is_number=True),
    Column("cached_input_price_per_million", "CACHED/M", as_usd, is_number=True),
    Column("output_price_per_million", "OUTPUT/M", as_usd, is_number=True),
)
LIMITS: Final = (
    Column("context_window_tokens", "CONTEXT", is_number=True),
    Column("max_output_tokens", "LONGEST ANSWER", is_number=True),
)
_MORE: Final = (
    Column("rates", "OTHER RATES", _as_rates),
    Column("tiers", "TIERS", _as_tiers),
    Column("service_tiers", "SERVICE TIERS", _as_service_tiers),
)
_FROM: Final = Column("effective_from", "FROM", as_instant)
_UPCOMING: Final = Column("upcoming", "NEXT FROM", _as_upcoming)
COLUMNS: Final = (Column("model_key", "MODEL"), *RATES, *LIMITS, _FROM, _UPCOMING)
_DETAILS: Final = (
    *COLUMNS[:-2],
    *_MORE,
    _FROM,
    _UPCOMING,
    Column("updated_at", "CHANGED", as_instant),
)
_FOUND: Final = (
    Column("model", "MODEL"),
    Column("source", "SOURCE"),
    Column("version", "VERSION"),
    *RATES,
    *LIMITS,
    *_MORE,
    _FROM,
    Column("catalogue_date", "CATALOGUE OF", _as_day),
)
_STATEMENTS: Final = (
    Column("stated_at", "STATED", as_instant),
    *RATES,
    _FROM,
    Column("is_removed", "REMOVED"),
)
_fields = together(
    click.option(
        "--in",
        "--input-rate",
        "input_price_per_million",
        type=AMOUNT,
        help="A million input tokens.",
    ),
    click.option(
        "--out",
        "--output-rate",
        "output_price_per_million",
        type=AMOUNT,
        help="A million output tokens.",
    ),
    click.option(
        "--cached-in",
        "--cached-input-rate",
        "cached_input_price_per_million",
        type=AMOUNT,
        help="A million input tokens from the provider's cache.  [default: as other input]",
    ),
    click.option(
        "--rate",
        "rates",
        multiple=True,
        type=RATE,
        help="Of another unit, as in cache_write=3.75, web_search=10 or image=0.04. May be "
        "repeated.",
    ),
    click.option(
        "--tier",
        "tiers",
        multiple=True,
        type=TIER,
        help="What requests with more input cost, as in 200000:input=5,output=20. May be repeated.",
    ),
    click.option(
        "--service-tier",
        "service_tiers",
        multiple=True,
        type=SERVICE_TIER,
        help="What a service tier costs, as in priority:input=2.5,output=20 or flex:input=0.6. May "
        "be repeated.",
    ),
    click.option(
        "--context", "context_window_tokens", type=COUNT, help="The most input tokens it takes."
    ),
    click.option("--max-output", "max_output_tokens", type=COUNT, help="Its longest answer."),
    click.option(
        "--from",
        "effective_from",
        type=MOMENT,
        help="When it begins to apply, as in 2027-01-31 or 7d.  [default: at once]",
    ),
)


@click.group()
def prices() -> None:
    """Prices of models; one without a price is not served."""


@prices.command("list")
@LIMIT
@administers
def list_prices(session: Session, limit: int | None) -> None:
    """List the prices that administrators have set, patterns first.

    What callers may use, by whosever price: bursar models list.

    Example: bursar prices list
    """
    session.output.rows(pages(session, _PATH, limit), COLUMNS)


@prices.command()
@click.argument("model")
@administers
def show(session: Session, model: str) -> None:
    """Show the price that was set for a model or a pattern.

    Example: bursar prices show 'anthropic:claude-sonnet-*'
    """
    session.output.record(session.ask("GET", path_to(_PATH, model)), _DETAILS)


@prices.command()
@click.argument("model")
@administers
def effective(session: Session, model: str) -> None:
    """Tell by which price a model is charged now, and whose it is.

    It ends with 3 where there is none, which is when requests are refused.

    Example: bursar prices effective openai:gpt-4o-mini
    """
    _show_found(session, session.ask("GET", f"{_PATH}/effective", model=model))


@prices.command()
@click.argument("model")
@administers
def catalogue(session: Session, model: str) -> None:
    """Tell what the catalogue says of a model, whatever was set for it.

    It ends with 3 where it does not know the model.

    Example: bursar prices catalogue anthropic:claude-sonnet-4-5
    """
    _show_found(session, session.ask("GET", f"{_PATH}/catalogue", model=model))


@prices.command()
@click.argument("model")
@administers
def history(session: Session, model: str) -> None:
    """List all that was ever stated of a model's price, newest first.

    Example: bursar prices history openai:gpt-4o-mini
    """
    statements = session.ask("GET", f"{path_to(_PATH, model)}/history")
    session.output.rows(_flat_statements(session, statements), _STATEMENTS)


@prices.command("set")
@click.argument("model", required=False)
@_fields
@FROM_FILE
@administers
def set_price(session: Session, /, model: str | None, file: Any, **fields: Any) -> None:
    """Set the price of a model, or of all that a pattern covers; many from a file.

    It replaces any other, optional rates included: a rate that is left out is charged at another,
    as writing a provider's cache is at the rate of input. Amounts are US dollars.

    \b
    Example: bursar prices set openai:gpt-4o-mini --in 0.15 --out 0.6 --cached-in 0.075
             bursar prices set 'anthropic:claude-sonnet-*' --in 2.7 --out 13.5 \\
                 --rate cache_write=3.375 --tier 200000:input=5.4,output=20.25 --from 2027-01-01
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    if (model is None) == (file is None):
        raise Failed("Give a model, or --from-file", WRONG_USAGE)
    body = given(fields)
    if model is not None:
        body = {"model_key": model, **body}
        for name, option in _NEEDED.items():
            if body.get(name) is None:
                raise Failed(f"A price needs {option}, which may be 0", WRONG_USAGE)
    make(session, _PATH, body, file, _DETAILS)
    if model is not None:
        _tell_gaps(session, model, body)


@prices.command()
@click.argument("model")
@YES
@administers
def unset(session: Session, model: str, *, is_sure: bool) -> None:
    """Remove a price, and what was announced with it; the catalogue's applies again.

    A model that the catalogue does not know is no longer served.

    Example: bursar prices unset openai:gpt-4o-mini
    """
    known = session.ask("GET", path_to(_PATH, model))["model_key"]
    what = f"remove the price of {known}, for which the catalogue's applies again if it has one"
    confirm_by_name(known, what, is_sure=is_sure)
    session.ask("DELETE", path_to(_PATH, known))
    session.output.say(f"Removed the price of {known}")


_NEEDED: Final = {
    "input_price_per_million": "--in",
    "output_price_per_million": "--out",
}


def flat(session: Session, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """A price that was found: its fields beside whose it is, where there are columns to fill."""
    if session.output.kind in ("json", "jsonl"):
        return found
    return {**(found["price"] or {}), **found}


def _tell_gaps(session: Session, model: str, price: Mapping[str, Any]) -> None:
    """A word about rates that the public price has and this one leaves out; never a failure."""
    from bursar.cli.price_gaps import gaps  # noqa: PLC0415 (no other command needs it)

    try:
        public = session.ask("GET", f"{_PATH}/catalogue", model=model)["price"]
    except Failed:
        return
    for gap in gaps(price, public or {}):
        session.output.say(f"Note: {gap}")


def _show_found(session: Session, found: Mapping[str, Any]) -> None:
    if found["price"] is not None or session.output.kind != "table":
        session.output.record(flat(session, found), _FOUND)
    if found["price"] is None:
        raise Failed(f"{found['model']}: {found['reason']}", NOT_FOUND)


def _flat_statements(
    session: Session, statements: list[dict[str, Any]]
) -> Iterable[Mapping[str, Any]]:
    if session.output.kind in ("json", "jsonl"):
        return statements
    return [
        {**(each["price"] or {}), "stated_at": each["stated_at"], "is_removed": not each["price"]}
        for each in statements
    ]
