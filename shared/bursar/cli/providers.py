"""`bursar providers`: what the gateway can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.fields import path_to
from bursar.cli.options import administers
from bursar.cli.output import Column

if TYPE_CHECKING:
    from bursar.cli.options import Session

_PATH: Final = "/v1/providers"


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

    A deployed gateway's keys are parameters of AWS. The control plane sees their names only, so
    what their values change, such as an address, is not told.

    \b
    Example: bursar providers list
             bursar providers list --all -o json
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    found = session.ask("GET", _PATH)
    shown = [each for each in found if is_all or each["is_configured"] is not False]
    session.output.rows(shown, COLUMNS)
    if not shown:
        session.output.say("None is configured: bursar providers list --all shows which could be")


@providers.command()
@click.argument("name")
@administers
def show(session: Session, name: str) -> None:
    """Show a provider: what it serves, and where its key is, or could be.

    Example: bursar providers show anthropic
    """
    session.output.record(session.ask("GET", path_to(_PATH, name)), _DETAILS)
