"""Lists that grow for ever: the newest records, unless more are asked for."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.listing import cursor_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bursar.cli.options import Session

_SHOWN: Final = 100
_OPTIONS: Final = (
    click.option("--limit", type=click.IntRange(1), help=f"So many at most.  [default: {_SHOWN}]"),
    click.option("--all", "is_all", is_flag=True, help="All of them."),
)


def newest(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options `limit` and `is_all`."""
    for option in _OPTIONS[::-1]:
        command = option(command)
    return command


def show_newest(
    session: Session,
    path: str,
    query: Mapping[str, object],
    show: Callable[[Iterable[dict[str, Any]]], None],
    *,
    limit: int | None,
    is_all: bool,
) -> None:
    """Show the first records of a list, and say if there are more than it shows unasked.

    Raises:
        Failed: a limit and all.
    """
    if limit is not None and is_all:
        raise Failed("Give --limit or --all, not both", WRONG_USAGE)
    wanted = None if is_all else limit or _SHOWN
    is_unasked = limit is None and not is_all
    # One more than is shown tells whether that was all.
    read = _SHOWN + 1 if is_unasked else wanted
    found = cursor_pages(session, path, read, **query)
    show(islice(found, wanted))
    if is_unasked and next(found, None) is not None:
        session.output.say(f"There are more than these {_SHOWN}: --limit or --all shows them")
