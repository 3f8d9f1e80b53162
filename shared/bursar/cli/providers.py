"""`bursar providers`: what the gateway can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.failures import NOT_FOUND, Failed
from bursar.cli.options import administers
from bursar.cli.output import Column
from bursar.cli.reachable import providers_of

if TYPE_CHECKING:
    from bursar.cli.options import Session


def _as_known(value: Any) -> str:
    return "unknown" if value is None else "yes" if value else "no"


COLUMNS: Final = (
    Column("name", "PROVIDER"),
    Column("is_configured", "CONFIGURED", _as_known),
    Column("has_key", "KEY", _as_known),
    Column("key_from", "KEY FROM"),
    Column("key_name", "NAMED"),
    Column("host", "HOST"),
    Column("operations", "OPERATIONS"),
)
_DETAILS: Final = (
    *COLUMNS,
    Column("needs_key", "NEEDS A KEY"),
    Column("env_keys", "VARIABLES OF A KEY"),
    Column("env_base", "VARIABLE OF ITS ADDRESS"),
)


@click.group()
def providers() -> None:
    """Providers: what the gateway can reach, and how."""


@providers.command("list")
@click.option("--all", "is_all", is_flag=True, help="Also those that are known, not configured.")
@administers
def list_providers(session: Session, *, is_all: bool) -> None:
    """List the providers that are configured, or all that the gateway knows.

    A deployed gateway's management API sees no provider's key, so it cannot tell. With --stack,
    the names of the parameters that hold the keys tell, read by your own AWS identity; what their
    values change, such as an address, is not told.

    \b
    Example: bursar providers list
             bursar providers list --all -o json
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    found = providers_of(session)
    shown = [each for each in found if is_all or each["is_configured"] is not False]
    session.output.rows(shown, COLUMNS)
    if not shown:
        session.output.say("None is configured: bursar providers list --all shows which could be")
    elif any(each["is_configured"] is None for each in shown):
        session.output.say("Which of them are configured is not known there: ask with --stack")


@providers.command()
@click.argument("name")
@administers
def show(session: Session, name: str) -> None:
    """Show a provider: what it serves, and where its key is, or could be.

    Example: bursar providers show anthropic
    """
    for each in providers_of(session):
        if each["name"] == name.lower():
            session.output.record(each, _DETAILS)
            return
    raise Failed(f"There is no provider {name!r}: see bursar providers list --all", NOT_FOUND)
