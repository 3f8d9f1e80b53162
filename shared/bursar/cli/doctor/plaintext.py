"""No key is in the table in the clear."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.checks import Verdict
from bursar.cli.doctor.key_shapes import looks_like, masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bursar.cli.doctor.checks import Context
    from bursar.cli.output import Output

_SHOWN: Final = 20
_READABLE: Final = re.compile(rb"[\x20-\x7e\s]{20,}")
NO_TABLE: Final = Verdict.skipped(
    "There is no access to the table",
    "Ask with --stack, or name it: --table NAME, and --endpoint URL for an engine of your own",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A value that looks like a key; never the value.

    Attributes:
        item: the item's key.
        attribute: the path in it.
        what: which kind of key.
    """

    item: str
    attribute: str
    what: str

    def __str__(self) -> str:
        return f"{self.item}, {self.attribute}: looks like {self.what}"


class Plaintext:
    name = "plaintext"
    proves = "Nothing in the table looks like a key in the clear."
    calls = False

    def run(self, context: Context) -> Verdict:
        table = context.table
        if table is None:
            return NO_TABLE
        about, seen, found = table.about, 0, list[Finding]()
        items = table.items(context.scan_limit)
        with _followed(items, min(about, context.scan_limit), context.session.output) as passing:
            for item in passing:
                seen += 1
                found.extend(findings(item))
        whole = "all" if seen < context.scan_limit else f"of about {max(about, seen):,} the first"
        return judge(found, f"{whole} {seen:,} items of {table.name}")


def judge(found: list[Finding], looked_at: str) -> Verdict:
    if not found:
        return Verdict.passed(f"looked at {looked_at}; nothing looks like a key")
    more = (f"and {len(found) - _SHOWN:,} more",) if len(found) > _SHOWN else ()
    return Verdict.failed(
        f"{len(found):,} of the values in {looked_at} look like keys",
        "If they are: revoke them with whoever issued them, then take them out. People put them "
        "into names and metadata; the gateway puts them nowhere, so report it otherwise",
        *map(str, found[:_SHOWN]),
        *more,
    )


def findings(item: Mapping[str, Any]) -> Iterator[Finding]:
    """Whatever in an item, in DynamoDB's notation, looks like a key in the clear."""
    name = masked("/".join(_word(item[part]) for part in ("pk", "sk") if part in item))
    for attribute, value in item.items():
        for path, text in _texts(attribute, value):
            what = looks_like(text)
            if what is not None:
                yield Finding(name, masked(path), what)


def _word(value: Mapping[str, Any]) -> str:
    ((_, word),) = value.items()
    return str(word)


def _texts(path: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text in a value, map keys included, and where it is."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            yield path, content
        case "SS":
            yield from ((path, each) for each in content)
        case "B":
            yield from ((path, text) for text in _readable(content))
        case "BS":
            yield from ((path, text) for each in content for text in _readable(each))
        case "L":
            for number, each in enumerate(content):
                yield from _texts(f"{path}[{number}]", each)
        case "M":
            for name, each in content.items():
                yield f"{path} (a name in it)", name
                yield from _texts(f"{path}.{name}", each)
        case _:
            return


def _readable(content: bytes) -> Iterator[str]:
    """The parts of bytes that are text: what is sealed has none that are long."""
    for match in _READABLE.finditer(bytes(content)):
        yield match[0].decode("ascii")


@contextmanager
def _followed(items: Iterable[Any], total: int, output: Output) -> Iterator[Iterable[Any]]:
    """The same items, with a bar that moves as they pass, if somebody watches."""
    if output.is_quiet or not sys.stderr.isatty():
        yield items
        return
    # A third of what starting this command would cost, were it imported above.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (TextColumn("Scanning"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield progress.track(items, total=total or None)
