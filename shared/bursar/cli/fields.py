"""Options that are fields of a request, and what a request is made of."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import click

from bursar.cli.failures import CONFLICT, WRONG_USAGE, Failed, RefusedByGateway
from bursar.cli.listing import pages
from bursar.cli.values import COUNT, PAIR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bursar.cli.options import Session
    from bursar.cli.output import Column

# Enough of a UUID that two seldom share it, and not all of it.
_BEGINNING: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f-]{0,26})?")
METADATA: Final = click.option(
    "--metadata",
    multiple=True,
    type=PAIR,
    help="Kept and given back, as in team=search; all of it anew. May be repeated.",
)
MODELS: Final = click.option(
    "--model",
    "allowed_models",
    multiple=True,
    help="A model that may be used, as in 'openai:gpt-4o*'. May be repeated; '' allows all.",
)
RATES: Final = (
    click.option("--rpm", "rate_limit_rpm", type=COUNT, help="Requests a minute; '' for no limit."),
    click.option("--tpm", "rate_limit_tpm", type=COUNT, help="Tokens a minute; '' for no limit."),
)
FROM_FILE: Final = click.option(
    "--from-file",
    "file",
    type=click.File("r", encoding="utf-8"),
    help="Many at once: JSON, or a JSON object a line, with the API's fields; - reads the input.",
)


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator; `--help` lists them in this order."""

    def give(command: Any) -> Any:
        for option in options[::-1]:
            command = option(command)
        return command

    return give


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were used; an empty text clears a field."""
    used = {name: value for name, value in fields.items() if value is not None and value != ()}
    return {name: _sent(name, value) for name, value in used.items()}


def changed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were used, of which a change needs at least one.

    Raises:
        Failed: none was.
    """
    used = given(fields)
    if not used:
        raise Failed("There is nothing to change: see --help for what can be", WRONG_USAGE)
    return used


def path_to(collection: str, identifier: str) -> str:
    """A record's path; an identifier may hold anything."""
    return f"{collection}/{quote(identifier, safe='')}"


def whole_id(session: Session, collection: str, given_id: str, name: str = "id") -> str:
    """An id that was given whole, or by its first eight characters or more.

    Raises:
        Failed: several begin so.
    """
    if not _BEGINNING.fullmatch(given_id):
        return given_id
    found = [
        str(record[name])
        for record in pages(session, collection)
        if str(record[name]).startswith(given_id)
    ]
    if len(found) > 1:
        raise Failed(f"{given_id} is the beginning of several: {', '.join(found)}", CONFLICT)
    return found[0] if found else given_id


def with_budget(session: Session, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields in which a budget may be named by its beginning, with its whole id."""
    budget_id = fields.get("budget_id")
    if not budget_id:
        return dict(fields)
    return {**fields, "budget_id": whole_id(session, "/v1/budgets", budget_id, "budget_id")}


def make(
    session: Session,
    path: str,
    fields: Mapping[str, Any],
    file: Any,
    columns: tuple[Column, ...],
) -> None:
    """Post what the options say, or every record of a file, and show what was made of it."""
    if file is None:
        session.output.record(session.ask("POST", path, dict(fields)), columns)
    else:
        show_posted(session, posted(session, path, file, fields), columns)


def show_posted(
    session: Session, answers: Iterable[dict[str, Any]], columns: tuple[Column, ...]
) -> None:
    """Show what is made of a file, also what was made before it failed or was interrupted."""
    if session.output.kind in ("csv", "jsonl"):
        session.output.rows(answers, columns)
        return
    made: list[dict[str, Any]] = []
    try:
        made.extend(answers)
    finally:
        session.output.rows(made, columns)


def posted(
    session: Session, path: str, file: Any, fields: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Post every record of a file over what the options say; the answers, as they come.

    Raises:
        Failed: the file holds no records, or the gateway refuses one; those before it are made.
    """
    for number, record in enumerate(_records(file), 1):
        try:
            answer = session.ask("POST", path, {**fields, **record})
        except RefusedByGateway as error:
            detail = _in_file(error.detail, number)
            raise RefusedByGateway(error.status, detail, error.request_id) from None
        except Failed as error:
            raise Failed(_in_file(error.message, number), error.exit_code) from None
        yield answer


def _in_file(what: str, number: int) -> str:
    """What is wrong with a record of a file, and what became of those before it."""
    done = f"; the {number - 1} before it are done" if number > 1 else ""
    return f"Record {number}: {what}{done}"


def _records(file: Any) -> list[dict[str, Any]]:
    """The file's records: a JSON object, a list of them, or one a line. Numbers are exact."""
    text = file.read()
    try:
        try:
            found = json.loads(text, parse_float=Decimal)
        except ValueError:
            lines = [line for line in text.splitlines() if line.strip()]
            found = [json.loads(line, parse_float=Decimal) for line in lines]
    except ValueError:
        raise Failed(f"{file.name} is neither JSON nor a JSON object a line", WRONG_USAGE) from None
    records = found if isinstance(found, list) else [found]
    if not records or not all(isinstance(record, dict) for record in records):
        raise Failed(f"{file.name} holds no JSON objects", WRONG_USAGE)
    return records


def _sent(name: str, value: Any) -> Any:
    """A field as the API takes it."""
    if name in ("metadata", "rates", "service_tiers"):
        return dict(pair for pair in value if pair)
    return None if value in ("", ("",)) else value
