"""Which row of a shard a model's name leads to.

Rules are lists: `["=", text]` equals, `["^", text]` starts with, `["$", text]` ends with,
`["*", text]` contains, `["~", pattern]` regular expression, `["|", …]` any of, `["&", …]` all of.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# As in gpt-5.2-20251211, which the same release's other names write as -2025-12-11.
_COMPACT_DATE: Final = re.compile(r"-(20\d\d)([01]\d)([0-3]\d)(?=-|:|$)", re.ASCII)


def row_of(shard: Mapping[str, Any], model: str) -> Mapping[str, Any] | None:
    """The row of a model, by its name as callers write it; None where no rule knows it."""
    name = model.lower()
    index = _index_of(shard, name)
    if index is None:
        spelled_out = _COMPACT_DATE.sub(_with_dashes, name)
        index = _index_of(shard, spelled_out) if spelled_out != name else None
    return None if index is None else shard["rows"][index]


def matches(rule: Sequence[Any], name: str) -> bool:  # noqa: PLR0911 (one return a kind)
    """Hold a name in lower case against a rule."""
    kind, *rest = rule
    match kind:
        case "=":
            return bool(name == rest[0])
        case "^":
            return name.startswith(rest[0])
        case "$":
            return name.endswith(rest[0])
        case "*":
            return rest[0] in name
        case "~":
            return re.search(rest[0], name) is not None
        case "|":
            return any(matches(inner, name) for inner in rest)
        case _:
            return all(matches(inner, name) for inner in rest)


def _index_of(shard: Mapping[str, Any], name: str) -> int | None:
    named: int | None = shard["names"].get(name)
    if named is not None:
        return named
    return next((row for rule, row in shard["rules"] if matches(rule, name)), None)


def _with_dashes(found: re.Match[str]) -> str:
    year, month, day = map(int, found.groups())
    try:
        return f"-{date(year, month, day).isoformat()}"
    except ValueError:
        return found[0]
