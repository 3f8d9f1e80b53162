"""`bursar models`: what callers may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.fields import path_to
from bursar.cli.listing import LIMIT, pages
from bursar.cli.options import administers
from bursar.cli.output import Column
from bursar.cli.prices import LIMITS, RATES, flat
from bursar.cli.reachable import PATH, providers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bursar.cli.options import Session

COLUMNS: Final = (
    Column("model", "MODEL"),
    Column("source", "PRICED BY"),
    *RATES,
    *LIMITS,
)


@click.group()
def models() -> None:
    """Models: what callers may use, and at which rates."""


@models.command("list")
@LIMIT
@click.option("--provider", help="Only this one's, even if it is not configured.")
@administers
def list_models(session: Session, limit: int | None, provider: str | None) -> None:
    """List the models of configured providers that have a price, with what it is and whose.

    Names that stand for models: bursar aliases list.

    Example: bursar models list --provider anthropic
    """
    session.output.rows(_found(session, provider, limit), COLUMNS)


def _found(session: Session, provider: str | None, limit: int | None) -> Iterator[Any]:
    left = limit
    for name in [provider] if provider else _configured(session):
        for found in pages(session, f"{path_to(PATH, name)}/models", left):
            left = None if left is None else left - 1
            yield flat(session, found)
        if left == 0:
            return


def _configured(session: Session) -> list[str]:
    known = providers_of(session)
    if all(each["is_configured"] is None for each in known):
        # The data plane behind the same address lists what it can call.
        shown = session.ask("GET", "/v1/models")["data"]
        return sorted({each["owned_by"] for each in shown if _is_model(each)})
    return [each["name"] for each in known if each["is_configured"]]


def _is_model(each: dict[str, Any]) -> bool:
    """Aliases are in that list, too."""
    return str(each["id"]).startswith(f"{each['owned_by']}:")
