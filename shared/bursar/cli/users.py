"""`bursar users`: whom spending is accounted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.confirming import YES, confirm_by_name
from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.fields import (
    FROM_FILE,
    METADATA,
    MODELS,
    RATES,
    changed,
    given,
    make,
    path_to,
    together,
    whole_id,
    with_budget,
)
from bursar.cli.listing import LIMIT, pages, some
from bursar.cli.options import administers
from bursar.cli.output import Column, as_instant, as_usd

if TYPE_CHECKING:
    from bursar.cli.options import Session

_PATH: Final = "/v1/users"
COLUMNS: Final = (
    Column("user_id", "ID"),
    Column("alias", "NAME"),
    Column("blocked", "BLOCKED"),
    Column("budget_id", "BUDGET"),
    Column("spend", "SPENT", as_usd, is_number=True),
    Column("next_budget_reset_at", "RESETS", as_instant),
    Column("allowed_models", "MODELS"),
    Column("created_at", "CREATED", as_instant),
)
_DETAILS: Final = (
    *COLUMNS,
    Column("budget_started_at", "PERIOD BEGAN", as_instant),
    Column("rate_limit_rpm", "REQUESTS A MINUTE"),
    Column("rate_limit_tpm", "TOKENS A MINUTE"),
    Column("updated_at", "CHANGED", as_instant),
    Column("metadata", "METADATA"),
)
_USAGE: Final = (
    Column("timestamp", "WHEN", as_instant),
    Column("provider", "PROVIDER"),
    Column("model", "MODEL"),
    Column("prompt_tokens", "INPUT", is_number=True),
    Column("completion_tokens", "OUTPUT", is_number=True),
    Column("cost", "COST", as_usd, is_number=True),
    Column("outcome", "OUTCOME"),
    Column("id", "REQUEST"),
)
_fields = together(
    click.option("--name", "alias", help="What people call them."),
    click.option("--budget", "budget_id", help="The budget that limits them; '' for none."),
    MODELS,
    *RATES,
    METADATA,
)


@click.group()
def users() -> None:
    """Users: whom spending is accounted to."""


@users.command("list")
@LIMIT
@click.option("--budget", "budget_id", help="Only those who have this budget.")
@click.option("--blocked/--not-blocked", "blocked", default=None, help="Only those.")
@administers
def list_users(
    session: Session, limit: int | None, budget_id: str | None, *, blocked: bool | None
) -> None:
    """List users, without deleted ones.

    Example: bursar users list --blocked
    """
    if budget_id is not None:
        budget_id = whole_id(session, "/v1/budgets", budget_id, "budget_id")
    found = some(
        session,
        _PATH,
        limit,
        lambda user: budget_id in (None, user["budget_id"]) and blocked in (None, user["blocked"]),
    )
    session.output.rows(found, COLUMNS)


@users.command()
@click.argument("user_id")
@administers
def show(session: Session, user_id: str) -> None:
    """Show a user, and what they have spent in this period.

    Example: bursar users show alice
    """
    session.output.record(session.ask("GET", path_to(_PATH, user_id)), _DETAILS)


@users.command()
@click.argument("user_id", required=False)
@_fields
@click.option("--blocked", is_flag=True, default=None, help="Refuse their keys at first.")
@FROM_FILE
@administers
def create(session: Session, /, user_id: str | None, file: Any, **fields: Any) -> None:
    """Add a user, or many from a file; a deleted one is revived.

    \b
    Example: bursar users create alice --name Alice --budget 5a7e8a0c
             bursar users create --from-file users.jsonl --budget 5a7e8a0c
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    if (user_id is None) == (file is None):
        raise Failed("Give a user's id, or --from-file", WRONG_USAGE)
    named = {} if user_id is None else {"user_id": user_id}
    make(session, _PATH, {**named, **with_budget(session, given(fields))}, file, _DETAILS)


@users.command()
@click.argument("user_id")
@_fields
@administers
def update(session: Session, /, user_id: str, **fields: Any) -> None:
    """Change a user; it takes effect within seconds.

    Naming a budget, even the same, begins its period anew and keeps what was spent.

    Example: bursar users update alice --budget 5a7e8a0c --rpm 60
    """
    _change(session, user_id, with_budget(session, changed(fields)))


@users.command()
@click.argument("user_id")
@administers
def block(session: Session, user_id: str) -> None:
    """Refuse all keys of a user, until unblocked.

    Example: bursar users block alice
    """
    _change(session, user_id, {"blocked": True})


@users.command()
@click.argument("user_id")
@administers
def unblock(session: Session, user_id: str) -> None:
    """Accept a user's keys again.

    Example: bursar users unblock alice
    """
    _change(session, user_id, {"blocked": False})


@users.command()
@click.argument("user_id")
@LIMIT
@administers
def usage(session: Session, user_id: str, limit: int | None) -> None:
    """List a user's requests, newest first, also after they were deleted.

    Example: bursar users usage alice --limit 20
    """
    session.output.rows(pages(session, f"{path_to(_PATH, user_id)}/usage", limit), _USAGE)


@users.command()
@click.argument("user_id")
@YES
@administers
def delete(session: Session, user_id: str, *, is_sure: bool) -> None:
    """Delete a user and deactivate their keys. Their usage stays in the books.

    Example: bursar users delete alice
    """
    known = session.ask("GET", path_to(_PATH, user_id))
    spent = as_usd(known["spend"])
    what = f"delete {user_id}, who has spent {spent}, and deactivate their keys"
    confirm_by_name(user_id, what, is_sure=is_sure)
    session.ask("DELETE", path_to(_PATH, user_id))
    session.output.say(f"Deleted {user_id}")


def _change(session: Session, user_id: str, changes: dict[str, Any]) -> None:
    session.output.record(session.ask("PATCH", path_to(_PATH, user_id), changes), _DETAILS)
