"""Walks through the management API's lists, a page at a time."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bursar.cli.options import Session

_PAGE: Final = 1_000
LIMIT = click.option("--limit", type=click.IntRange(1), help="No more than so many.")


def pages(session: Session, path: str, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """Records of a list that is paged by `skip` and `limit`."""
    found = 0
    while limit is None or found < limit:
        size = _PAGE if limit is None else min(_PAGE, limit - found)
        page = session.ask("GET", path, skip=found, limit=size)
        yield from page
        found += len(page)
        if len(page) < size:
            return


def cursor_pages(
    session: Session, path: str, limit: int | None = None, **query: object
) -> Iterator[dict[str, Any]]:
    """Records of a list that tells where its next page begins."""
    found, cursor = 0, None
    while limit is None or found < limit:
        size = _PAGE if limit is None else min(_PAGE, limit - found)
        page = session.ask("GET", path, limit=size, cursor=cursor, **query)
        yield from page["data"]
        found += len(page["data"])
        cursor = page.get("next_cursor")
        if cursor is None:
            return


def some(
    session: Session, path: str, limit: int | None, wanted: Callable[[dict[str, Any]], bool]
) -> Iterator[dict[str, Any]]:
    """The first records of a list that are wanted, which the API cannot tell apart itself."""
    return islice((record for record in pages(session, path) if wanted(record)), limit)
