"""Rules by which genai-prices tells a model by its name, in the catalogue's short notation.

`["=", text]` equals, `["^", text]` starts with, `["$", text]` ends with, `["*", text]` contains,
`["~", pattern]` regular expression, `["|", …]` any of, `["&", …]` all of. Names are lower case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genai_prices import types

if TYPE_CHECKING:
    from collections.abc import Iterator

Clause = list[Any]


def compact(match: Any) -> Clause:  # noqa: PLR0911 (one return a kind)
    """Write a rule.

    Raises:
        TypeError: a kind of rule that is not known.
    """
    match match:
        case types.ClauseEquals():
            return ["=", match.equals.lower()]
        case types.ClauseStartsWith():
            return ["^", match.starts_with.lower()]
        case types.ClauseEndsWith():
            return ["$", match.ends_with.lower()]
        case types.ClauseContains():
            return ["*", match.contains.lower()]
        case types.ClauseRegex():
            return ["~", match.regex]
        case types.ClauseOr():
            return ["|", *map(compact, match.or_)]
        case types.ClauseAnd():
            return ["&", *map(compact, match.and_)]
        case _:
            raise TypeError(f"{type(match).__name__} is a rule that is not known")


def names_in(clause: Clause) -> Iterator[str]:
    """The names that a rule equals."""
    kind, *rest = clause
    if kind == "=":
        yield rest[0]
    if kind == "|":
        for inner in rest:
            yield from names_in(inner)


def wider_than_names(clause: Clause) -> Clause | None:
    """The rule without the names that it equals, None if nothing is left."""
    kind, *rest = clause
    if kind == "=":
        return None
    if kind != "|":
        return clause
    left = [inner for inner in map(wider_than_names, rest) if inner is not None]
    return ["|", *left] if len(left) > 1 else next(iter(left), None)
