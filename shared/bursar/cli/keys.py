"""`bursar keys`: the virtual keys that applications present."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import click

from bursar.cli.confirming import YES, confirm_by_name
from bursar.cli.listing import LIMIT, pages
from bursar.cli.options import administers
from bursar.cli.output import Column, as_instant, as_usd

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
_LIMITS = (
    click.option("--name", "key_name", help="What it is for."),
    click.option("--budget", "budget_id", help="A budget of its own, beside its user's."),
    click.option(
        "--model", "allowed_models", multiple=True, help="A model it may use, as in 'openai:gpt-*'."
    ),
    click.option("--expires", "expires_at", help="When it stops working, as in 2027-01-31."),
    click.option("--rpm", "rate_limit_rpm", type=int, help="Requests a minute."),
    click.option("--tpm", "rate_limit_tpm", type=int, help="Tokens a minute."),
)


def _limits(command: Any) -> Any:
    for option in _LIMITS[::-1]:
        command = option(command)
    return command


@click.group()
def keys() -> None:
    """Virtual keys: what applications present in place of a provider's."""


@keys.command("list")
@LIMIT
@click.option("--user", help="Only this user's.")
@administers
def list_keys(session: Session, limit: int | None, user: str | None) -> None:
    """List keys.

    Example: bursar keys list --user alice -o json
    """
    found = pages(session, _PATH, None if user else limit)
    wanted = (key for key in found if user in (None, key["user_id"]))
    session.output.rows(wanted, COLUMNS)


@keys.command()
@click.argument("key_id")
@administers
def show(session: Session, key_id: str) -> None:
    """Show a key's record; the key itself was shown once, when it was made."""
    session.output.record(session.ask("GET", _at(key_id)), _DETAILS)


@keys.command()
@click.option("--user", "user_id", help="Who it spends for; made if there is no such user.")
@_limits
@administers
def create(session: Session, /, **fields: Any) -> None:
    """Issue a key, and print it, this once.

    Example: bursar keys create --user alice --name laptop --model 'openai:gpt-4o*'
    """
    made = session.ask("POST", _PATH, _given(fields))
    _show_issued(session, made)


@keys.command()
@click.argument("key_id")
@_limits
@click.option("--active/--inactive", "is_active", default=None, help="Whether it is accepted.")
@administers
def update(session: Session, /, key_id: str, **fields: Any) -> None:
    """Change a key; it takes effect within seconds.

    Example: bursar keys update 0b8f9d5e --inactive
    """
    session.output.record(session.ask("PATCH", _at(key_id), _given(fields)), _DETAILS)


@keys.command()
@click.argument("key_id")
@click.option("--grace", "grace_s", type=int, default=0, help="Seconds that the old one works on.")
@administers
def rotate(session: Session, key_id: str, grace_s: int) -> None:
    """Replace a key, keeping its id, user, limits and books; print the new one, this once.

    Example: bursar keys rotate 0b8f9d5e --grace 86400
    """
    _show_issued(
        session, session.ask("POST", f"{_at(key_id)}/rotate", {"grace_period_sec": grace_s})
    )


@keys.command()
@click.argument("key_id")
@YES
@administers
def delete(session: Session, key_id: str, *, is_sure: bool) -> None:
    """Revoke a key for good. Its usage stays in the books."""
    known = session.ask("GET", _at(key_id))
    name = known["key_name"] or known["id"]
    confirm_by_name(name, f"revoke the key {name} of {known['user_id']}", is_sure=is_sure)
    session.ask("DELETE", _at(key_id))
    session.output.say(f"Revoked {name}")


def _show_issued(session: Session, issued: dict[str, Any]) -> None:
    """The key alone for a pipe or a person, the whole record for a program."""
    if session.output.kind == "table":
        session.output.say(f"Key {issued['id']} of {issued['user_id']}; it is not shown again:")
        click.echo(issued["key"])
    else:
        session.output.record(issued, (*_DETAILS, Column("key", "KEY")))


def _at(key_id: str) -> str:
    return f"{_PATH}/{quote(key_id, safe='')}"


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    """The options that were used; an empty text clears a field."""
    used = {name: value for name, value in fields.items() if value not in (None, ())}
    return {name: None if value in ("", ("",)) else value for name, value in used.items()}
