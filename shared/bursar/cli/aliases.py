"""`bursar aliases`: names that stand for models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.confirming import YES, confirm_by_name
from bursar.cli.failures import NOT_FOUND, WRONG_USAGE, Failed, RefusedByGateway
from bursar.cli.fields import FROM_FILE, METADATA, changed, path_to, posted, show_posted, together
from bursar.cli.listing import LIMIT, pages
from bursar.cli.options import administers
from bursar.cli.output import Column, as_instant
from bursar.cli.values import TARGET, TIER_DOWN

if TYPE_CHECKING:
    from bursar.cli.options import Session

_PATH: Final = "/v1/aliases"


def _as_targets(value: Any) -> str:
    return ", ".join(
        each["model"] if each["weight"] == 1 else f"{each['model']}={each['weight']}"
        for each in value
    )


def _as_tier_down(value: Any) -> str:
    return "-" if value is None else f"{value['model']} below {float(value['below_share']):.4g}"


COLUMNS: Final = (
    Column("name", "NAME"),
    Column("strategy", "STRATEGY"),
    Column("targets", "TARGETS", _as_targets),
    Column("tier_down", "TIER DOWN", _as_tier_down),
    Column("retries", "RETRIES", is_number=True),
)
_DETAILS: Final = (
    *COLUMNS,
    Column("metadata", "METADATA"),
    Column("created_at", "CREATED", as_instant),
    Column("updated_at", "CHANGED", as_instant),
)
_fields = together(
    click.option(
        "--target",
        "targets",
        multiple=True,
        type=TARGET,
        help="A model that it stands for, the first choice first, as in openai:gpt-4o-mini or, "
        "weighted, openai:gpt-4o-mini=9. May be repeated; all of them anew.",
    ),
    click.option(
        "--strategy",
        type=click.Choice(["ordered", "weighted"]),
        help="Begin with the first target, or with one drawn by weight.  [default: weighted where "
        "a target has a weight]",
    ),
    click.option(
        "--tier-down",
        type=TIER_DOWN,
        help="A cheaper model, tried first when less than this share of the caller's budget is "
        "left, as in openai:gpt-4o-mini=10%; '' for none.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0, 5),
        help="How often a target is asked again before the next one is.  [default: 1]",
    ),
    METADATA,
)


@click.group()
def aliases() -> None:
    """Names that stand for models: fallback, weights, tiers."""


@aliases.command("list")
@LIMIT
@administers
def list_aliases(session: Session, limit: int | None) -> None:
    """List aliases.

    Example: bursar aliases list
    """
    session.output.rows(pages(session, _PATH, limit), COLUMNS)


@aliases.command()
@click.argument("name")
@administers
def show(session: Session, name: str) -> None:
    """Show an alias.

    Example: bursar aliases show fast
    """
    session.output.record(session.ask("GET", path_to(_PATH, name)), _DETAILS)


@aliases.command("set")
@click.argument("name", required=False)
@_fields
@FROM_FILE
@administers
def set_alias(session: Session, /, name: str | None, file: Any, **fields: Any) -> None:
    """Add an alias, or change what the options say of one that is there.

    \b
    Example: bursar aliases set fast --target groq:llama-3.3-70b-versatile \\
                 --target openai:gpt-4o-mini --tier-down openai:gpt-4o-mini=10%
             bursar aliases set sonnet --target anthropic:claude-sonnet-4-5=9 \\
                 --target openrouter:anthropic/claude-sonnet-4.5=1
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    if (name is None) == (file is None):
        raise Failed("Give an alias's name, or --from-file", WRONG_USAGE)
    body = _with_strategy(changed(fields)) if file is None else {}
    if name is None:
        show_posted(session, posted(session, _PATH, file, body), COLUMNS)
    else:
        session.output.record(_set(session, name, body), _DETAILS)


@aliases.command()
@click.argument("name")
@YES
@administers
def delete(session: Session, name: str, *, is_sure: bool) -> None:
    """Delete an alias; whoever asks for it is told that there is no such model.

    Example: bursar aliases delete fast
    """
    session.ask("GET", path_to(_PATH, name))
    confirm_by_name(name, f"delete the alias {name}, which callers may use", is_sure=is_sure)
    session.ask("DELETE", path_to(_PATH, name))
    session.output.say(f"Deleted {name}")


def _with_strategy(body: dict[str, Any]) -> dict[str, Any]:
    """A weight that is given is meant."""
    if "strategy" in body or not any("weight" in each for each in body.get("targets", ())):
        return body
    return {**body, "strategy": "weighted"}


def _set(session: Session, name: str, body: dict[str, Any]) -> Any:
    try:
        return session.ask("PATCH", path_to(_PATH, name), body)
    except RefusedByGateway as error:
        if error.exit_code != NOT_FOUND:
            raise
    if not body.get("targets"):
        raise Failed(f"There is no alias {name} yet: say what for, with --target", WRONG_USAGE)
    return session.ask("POST", _PATH, {"name": name, **body})
