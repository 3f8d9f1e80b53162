"""`bursar import`: moves a team here from another gateway, without changing its keys."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bursar.cli.confirming import YES
from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.fields import together
from bursar.cli.moving import any_llm, litellm_config, litellm_database
from bursar.cli.moving.carrying_out import carry_out
from bursar.cli.moving.config_files import filled, read_yaml, where_from
from bursar.cli.moving.databases import check_no_password, is_database, opened
from bursar.cli.moving.findings import Action, Findings, Kind
from bursar.cli.moving.plan import COLUMNS, existing, planned, summary
from bursar.cli.moving.remedies import known_providers, price_tasks, provider_tasks
from bursar.cli.options import administers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bursar.cli.moving.databases import Database
    from bursar.cli.moving.plan import Step
    from bursar.cli.options import Session

_choices = together(
    click.argument("sources", nargs=-1, required=True, metavar="SOURCE…"),
    click.option(
        "--dry-run", "is_dry", is_flag=True, help="Show what would happen; change nothing."
    ),
    click.option("--update", "updates", is_flag=True, help="Also change what is here and differs."),
    click.option(
        "--no-database", is_flag=True, help="Leave out the database that a configuration names."
    ),
    YES,
)


@click.group("import")
def import_() -> None:
    """Move here from any-llm-gateway or LiteLLM; keys go on working."""


@import_.command("any-llm")
@_choices
@administers
def import_any_llm(session: Session, /, **choices: Any) -> None:
    """Move from any-llm-gateway: config.yml, a SQLite file, postgresql://USER@HOST/DB, or several.

    Users, budgets with what is spent of them, prices, and keys by their digests: nobody gets a new
    key. Run it again at any time: what is here already stays as it is. Provider keys are not read;
    it tells which are needed, and where to put them. A database's password is in PGPASSWORD, or
    asked for, never in the URL. The database that the configuration names is read, too.

    \b
    Example: bursar import any-llm config.yml --dry-run
             bursar import any-llm postgresql://gateway@db.internal/gateway --yes
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    found = Findings()
    databases, configs = _sorted(choices["sources"])
    named = [config.get("database_url") for config in configs]
    for source in _all(databases, named, found, is_alone=choices["no_database"]):
        with opened(source) as database, _told(database):
            any_llm.read_database(database, found)
    for config in configs:
        any_llm.read_config(config, found)
    _move(session, found, known_providers(session), **choices)


@import_.command("litellm")
@_choices
@administers
def import_litellm(session: Session, /, **choices: Any) -> None:
    """Move from LiteLLM's proxy: config.yaml, postgresql://USER@HOST/DB, or both.

    Groups of models become aliases; users, teams and keys come with budgets and what is spent of
    them. Keys that begin with sk- go on working: from the first of them on, the gateway looks up
    credentials of any format. A team becomes the user team-ID, whose keys its keys are. Every
    setting that has no counterpart is named.

    \b
    Example: bursar import litellm config.yaml --dry-run
             bursar import litellm config.yaml postgresql://litellm@db.internal/litellm
    """  # noqa: D301 (as above)
    found = Findings()
    databases, configs = _sorted(choices["sources"])
    providers = known_providers(session)
    known = frozenset(str(each["name"]) for each in providers)
    for config in configs:
        litellm_config.read_config(config, found, known)
    named = [litellm_config.database_url(config) for config in configs]
    aliases = frozenset(found.names(Kind.ALIAS) | existing(session, Kind.ALIAS).keys())
    zone = next((litellm_config.time_zone(config) for config in configs), "UTC")
    for source in _all(databases, named, found, is_alone=choices["no_database"]):
        with opened(source) as database, _told(database):
            litellm_database.read_database(database, found, aliases, zone)
    _move(session, found, providers, **choices)


@contextmanager
def _told(database: Database) -> Iterator[None]:
    """Name the database whose values cannot be read."""
    try:
        yield
    except (ValueError, KeyError) as error:
        raise Failed(f"{database.name}: {error} is not what that gateway writes") from None


def _sorted(sources: Sequence[str]) -> tuple[list[str], list[dict[str, Any]]]:
    """Databases, and the content of configuration files."""
    for source in sources:
        check_no_password(source)
    databases = [source for source in sources if is_database(source)]
    return databases, [read_yaml(each) for each in sources if each not in databases]


def _all(databases: list[str], named: list[Any], found: Findings, *, is_alone: bool) -> list[str]:
    """The databases to read; those that were named in the command come in place of others.

    Raises:
        Failed: a configuration names one by a variable that is not set.
    """
    if databases:
        return databases
    if is_alone or not any(named):
        found.skip("database", "users and keys", "no database is read: name it as another source")
        return []
    urls = [filled(url) for url in named if url]
    if None in urls:
        where = next(where_from(url) for url in named if url and filled(url) is None)
        raise Failed(
            f"The configuration's database is in {where}, which is not set: export it, or add "
            "--no-database",
            WRONG_USAGE,
        )
    return [url for url in urls if url is not None]


def _move(
    session: Session,
    found: Findings,
    providers: Sequence[dict[str, Any]],
    *,
    is_dry: bool,
    is_sure: bool,
    updates: bool,
    **_: Any,
) -> None:
    steps = planned(session, found, updates=updates)
    found.tasks += provider_tasks(session, found, providers) + price_tasks(session, found)
    _show(session, steps, found)
    session.output.say(f"\n{summary(steps) or 'Nothing was found'}.")
    active = [step for step in steps if step.action in (Action.CREATE, Action.CHANGE)]
    if not active:
        session.output.say("There is nothing to do: all that can come is here.")
    elif is_dry:
        session.output.say("Nothing was changed: this was a dry run.")
    else:
        _confirm(len(active), session, is_sure=is_sure)
        done = carry_out(session, active)
        said = ", ".join(f"{count} {what}" for what, count in done.items())
        session.output.say(f"Done: {said}.")
    _show_tasks(session, found)


def _show(session: Session, steps: Sequence[Step], found: Findings) -> None:
    rows = [step.row for step in steps]
    if session.output.kind == "json":
        tasks = [{"what": task.what, "command": task.command} for task in found.tasks]
        session.output.record({"steps": rows, "to_do": tasks}, COLUMNS)
    else:
        session.output.rows(rows, COLUMNS)


def _show_tasks(session: Session, found: Findings) -> None:
    if session.output.kind == "json" or not found.tasks:
        return
    session.output.say("\nStill to do:")
    for task in found.tasks:
        session.output.say(f"- {task.what}")
        if task.command:
            session.output.say(f"    {task.command}")


def _confirm(count: int, session: Session, *, is_sure: bool) -> None:
    if is_sure:
        return
    what = f"{count} record{'s'[: count > 1]} at {session.connection.name}"
    if not sys.stdin.isatty():
        raise Failed(f"This would write {what}, and nobody can be asked: add --yes", WRONG_USAGE)
    if not click.confirm(f"Write {what}?", err=True):
        raise Failed("Nothing was done", WRONG_USAGE)
