"""`bursar keys`: the virtual keys that applications present."""

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
    path_to,
    posted,
    show_posted,
    together,
    whole_id,
    with_budget,
)
from bursar.cli.listing import LIMIT, some
from bursar.cli.options import administers
from bursar.cli.output import Column, as_instant, as_usd
from bursar.cli.values import LENGTH, MOMENT

if TYPE_CHECKING:
    from bursar.cli.options import Session

_PATH: Final = "/v1/keys"
COLUMNS: Final = (
    Column("id", "ID"),
    Column("key_name", "NAME"),
    Column("user_id", "USER"),
    Column("is_active", "ACTIVE"),
    Column("budget_id", "BUDGET"),
    Column("spend", "SPENT", as_usd, is_number=True),
    Column("allowed_models", "MODELS"),
    Column("expires_at", "EXPIRES", as_instant),
    Column("last_used_at", "LAST USED", as_instant),
)
_DETAILS: Final = (
    *COLUMNS,
    Column("project_id", "PROJECT"),
    Column("client_id", "CLIENT"),
    Column("rate_limit_rpm", "REQUESTS A MINUTE"),
    Column("rate_limit_tpm", "TOKENS A MINUTE"),
    Column("created_at", "CREATED", as_instant),
    Column("previous_key_valid_until", "OLD KEY UNTIL", as_instant),
    Column("metadata", "METADATA"),
)
_ISSUED: Final = (*_DETAILS, Column("key", "KEY"))
_fields = together(
    click.option("--name", "key_name", help="What it is for."),
    click.option("--budget", "budget_id", help="A budget of its own, beside its user's."),
    MODELS,
    click.option(
        "--expires",
        "expires_at",
        type=MOMENT,
        help="When it stops working, as in 2027-01-31 or 90d; '' for never.",
    ),
    *RATES,
    METADATA,
)


@click.group()
def keys() -> None:
    """Virtual keys: what applications present."""


@keys.command("list")
@LIMIT
@click.option("--user", help="Only this user's.")
@click.option("--active/--inactive", "is_active", default=None, help="Only those.")
@administers
def list_keys(
    session: Session, limit: int | None, user: str | None, *, is_active: bool | None
) -> None:
    """List keys.

    Example: bursar keys list --user alice -o json
    """
    found = some(
        session,
        _PATH,
        limit,
        lambda key: user in (None, key["user_id"]) and is_active in (None, key["is_active"]),
    )
    session.output.rows(found, COLUMNS)


@keys.command()
@click.argument("key_id")
@administers
def show(session: Session, key_id: str) -> None:
    """Show a key's record; the key itself was shown once, when it was made.

    Example: bursar keys show 0b8f9d5e
    """
    session.output.record(session.ask("GET", _at(session, key_id)), _DETAILS)


@keys.command()
@click.option("--user", "user_id", help="Who it spends for; made if there is no such user.")
@_fields
@FROM_FILE
@administers
def create(session: Session, /, file: Any, **fields: Any) -> None:
    """Issue a key, and print it, this once; many from a file, which takes another output.

    \b
    Example: bursar keys create --user alice --name laptop --model 'openai:gpt-4o*'
             bursar keys create --from-file keys.jsonl -o jsonl
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    if file is None:
        _show_issued(session, session.ask("POST", _PATH, with_budget(session, given(fields))))
    elif session.output.kind == "table":
        raise Failed("Many keys need -o json, jsonl or csv, to tell whose is which", WRONG_USAGE)
    else:
        issued = posted(session, _PATH, file, with_budget(session, given(fields)))
        show_posted(session, issued, _ISSUED)


@keys.command()
@click.argument("key_id")
@_fields
@click.option("--active/--inactive", "is_active", default=None, help="Whether it is accepted.")
@administers
def update(session: Session, /, key_id: str, **fields: Any) -> None:
    """Change a key; it takes effect within seconds.

    Example: bursar keys update 0b8f9d5e --inactive
    """
    body = with_budget(session, changed(fields))
    session.output.record(session.ask("PATCH", _at(session, key_id), body), _DETAILS)


@keys.command()
@click.argument("key_id")
@click.option(
    "--grace",
    "grace_s",
    type=LENGTH,
    default="0",
    show_default=True,
    help="How long the old one works on, as in 12h or 1d.",
)
@administers
def rotate(session: Session, key_id: str, grace_s: int) -> None:
    """Replace a key, keeping its id, user, limits and books; print the new one, this once.

    Example: bursar keys rotate 0b8f9d5e --grace 1d
    """
    _show_issued(
        session,
        session.ask("POST", f"{_at(session, key_id)}/rotate", {"grace_period_sec": grace_s}),
    )


@keys.command()
@click.argument("key_id")
@YES
@administers
def delete(session: Session, key_id: str, *, is_sure: bool) -> None:
    """Revoke a key for good. Its usage stays in the books.

    Example: bursar keys delete 0b8f9d5e
    """
    # What nobody is asked about is named in full.
    known = session.ask("GET", path_to(_PATH, key_id) if is_sure else _at(session, key_id))
    name = known["key_name"] or known["id"]
    confirm_by_name(name, f"revoke the key {name} of {known['user_id']}", is_sure=is_sure)
    session.ask("DELETE", path_to(_PATH, known["id"]))
    session.output.say(f"Revoked {name}")


def _show_issued(session: Session, issued: dict[str, Any]) -> None:
    """The key alone for a pipe or a person, the whole record for a program."""
    if session.output.kind == "table":
        session.output.say(f"Key {issued['id']} of {issued['user_id']}; it is not shown again:")
        click.echo(issued["key"])
    else:
        session.output.record(issued, _ISSUED)


def _at(session: Session, key_id: str) -> str:
    return path_to(_PATH, whole_id(session, _PATH, key_id))
