"""`bursar budgets`: limits, and who has them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.confirming import YES, confirm_by_name
from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.fields import FROM_FILE, changed, given, make, path_to, together, whole_id
from bursar.cli.listing import LIMIT, cursor_pages, pages
from bursar.cli.options import administers
from bursar.cli.output import Column, as_instant, as_usd
from bursar.cli.values import AMOUNT, PERIOD, as_length

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bursar.cli.options import Session

_PATH: Final = "/v1/budgets"
COLUMNS: Final = (
    Column("budget_id", "ID"),
    Column("max_budget", "LIMIT", as_usd, is_number=True),
    Column("budget_period", "PERIOD"),
    Column("budget_duration_sec", "LENGTH", as_length),
    Column("time_zone", "TIME ZONE"),
    Column("scope", "SCOPE"),
    Column("spend", "SPENT", as_usd, is_number=True),
    Column("next_budget_reset_at", "RESETS", as_instant),
)
_DETAILS: Final = (
    *COLUMNS[:-1],
    Column("left", "LEFT", as_usd, is_number=True),
    COLUMNS[-1],
    Column("created_at", "CREATED", as_instant),
    Column("updated_at", "CHANGED", as_instant),
)
_HOLDERS: Final = (
    Column("kind", "KIND"),
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("spend", "SPENT", as_usd, is_number=True),
    Column("left", "LEFT", as_usd, is_number=True),
    Column("next_budget_reset_at", "RESETS", as_instant),
)
_RESETS: Final = (
    Column("reset_at", "ENDED", as_instant),
    Column("period_start", "BEGAN", as_instant),
    Column("user_id", "USER"),
    Column("api_key_id", "KEY"),
    Column("previous_spend", "SPENT", as_usd, is_number=True),
    Column("next_reset_at", "NEXT ENDS", as_instant),
)
_fields = together(
    click.option(
        "--limit",
        "max_budget",
        type=AMOUNT,
        help="US dollars a period, as in 20; without one, or with '', it only tracks.",
    ),
    click.option(
        "--period",
        type=PERIOD,
        help="day, week or month by the calendar; or a length as in 30d, counted from each "
        "assignment; or none.",
    ),
    click.option("--time-zone", help="Where days begin, as in Europe/Berlin.  [default: UTC]"),
    click.option(
        "--scope",
        type=click.Choice(["each", "pool"]),
        help="each: everybody who has it may spend the limit; pool: all of them together.",
    ),
)


@click.group()
def budgets() -> None:
    """Budgets: limits, periods, and who shares them."""


@budgets.command("list")
@LIMIT
@administers
def list_budgets(session: Session, limit: int | None) -> None:
    """List budgets.

    Example: bursar budgets list -o csv
    """
    session.output.rows(pages(session, _PATH, limit), COLUMNS)


@budgets.command()
@click.argument("budget_id")
@administers
def show(session: Session, budget_id: str) -> None:
    """Show a budget; what is spent and left of a pool, too.

    What each holder of another budget has spent: bursar budgets holders.

    Example: bursar budgets show 5a7e8a0c
    """
    session.output.record(_with_left(session.ask("GET", _at(session, budget_id))), _DETAILS)


@budgets.command()
@_fields
@FROM_FILE
@administers
def create(session: Session, /, file: Any, **fields: Any) -> None:
    """Add a budget, or many from a file, to be given to users and keys.

    \b
    Example: bursar budgets create --limit 20 --period month --time-zone Europe/Berlin
             bursar budgets create --limit 250 --period 30d --scope pool
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    wanted = _flat(given(fields))
    if not wanted and file is None:
        raise Failed("Give a --limit, a --period or --from-file", WRONG_USAGE)
    make(session, _PATH, wanted, file, COLUMNS)


@budgets.command()
@click.argument("budget_id")
@_fields
@administers
def update(session: Session, /, budget_id: str, **fields: Any) -> None:
    """Change a budget. What its holders have spent follows them into a changed period.

    Example: bursar budgets update 5a7e8a0c --limit 50
    """
    body = _flat(changed(fields))
    session.output.record(_with_left(session.ask("PATCH", _at(session, budget_id), body)), _DETAILS)


@budgets.command()
@click.argument("budget_id")
@administers
def holders(session: Session, budget_id: str) -> None:
    """List the users and keys that have a budget, and what each has left of it.

    It reads all users and keys. Of a pool, `budgets show` tells what is left.

    Example: bursar budgets holders 5a7e8a0c
    """
    budget = session.ask("GET", _at(session, budget_id))
    session.output.rows(_holders(session, budget), _HOLDERS)


@budgets.command()
@click.argument("budget_id")
@LIMIT
@administers
def resets(session: Session, budget_id: str, limit: int | None) -> None:
    """List the periods of a budget that have ended, newest first.

    Example: bursar budgets resets 5a7e8a0c --limit 12
    """
    session.output.rows(cursor_pages(session, f"{_at(session, budget_id)}/resets", limit), _RESETS)


@budgets.command()
@click.argument("budget_id")
@click.option("--detach", is_flag=True, help="Take it from its holders, who lose this limit.")
@YES
@administers
def delete(session: Session, budget_id: str, *, detach: bool, is_sure: bool) -> None:
    """Delete a budget that nobody has, or take it from everybody first.

    Example: bursar budgets delete 5a7e8a0c --detach
    """
    # What nobody is asked about is named in full.
    path = path_to(_PATH, budget_id) if is_sure else _at(session, budget_id)
    known = session.ask("GET", path)["budget_id"]
    lost = ", and its users and keys lose this limit" if detach else ""
    confirm_by_name(known, f"delete the budget {known}{lost}", is_sure=is_sure)
    session.ask("DELETE", path_to(_PATH, known), detach="true" if detach else None)
    session.output.say(f"Deleted {known}")


def _at(session: Session, budget_id: str) -> str:
    return path_to(_PATH, whole_id(session, _PATH, budget_id, "budget_id"))


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """The period's option as the fields that it stands for."""
    period = fields.pop("period", {})
    return {**fields, **period}


def _with_left(budget: dict[str, Any]) -> dict[str, Any]:
    return {**budget, "left": _left(budget, budget["spend"])}


def _left(budget: Mapping[str, Any], spend: Any) -> Decimal | None:
    """US dollars that may still be spent; None where nothing limits it, or nothing is known."""
    if budget["max_budget"] is None or spend is None:
        return None
    return max(Decimal(str(budget["max_budget"])) - Decimal(str(spend)), Decimal(0))


def _holders(session: Session, budget: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    budget_id, is_pool = budget["budget_id"], budget["scope"] == "pool"
    for user in pages(session, "/v1/users"):
        if user["budget_id"] == budget_id:
            yield _holder("user", user["user_id"], user["alias"], user, budget, is_pool=is_pool)
    for key in pages(session, "/v1/keys"):
        if key["budget_id"] == budget_id:
            yield _holder("key", key["id"], key["key_name"], key, budget, is_pool=is_pool)


def _holder(
    kind: str,
    identifier: str,
    name: str | None,
    record: Mapping[str, Any],
    budget: Mapping[str, Any],
    *,
    is_pool: bool,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": identifier,
        "name": name,
        "spend": record["spend"],
        "left": None if is_pool else _left(budget, record["spend"]),
        "next_budget_reset_at": record["next_budget_reset_at"],
    }
