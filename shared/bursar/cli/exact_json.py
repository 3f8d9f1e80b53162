"""JSON whose numbers have all their digits.

The standard library reads such numbers and does not write them; what does both takes longer to
import than a command may take to start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

_LINE: Final = "\n"


def dumped(value: Any, indent: int | None = None) -> str:
    """Write mappings, lists, texts, numbers, decimals, booleans and None.

    Args:
        indent: spaces a level, for people; None is one line.

    Raises:
        TypeError: something else is in it.
    """
    return _written(value, indent, _LINE)


def _written(value: Any, indent: int | None, line: str) -> str:
    """One value; `line` ends a line and begins the next one of the same level."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str):
        # What a terminal would obey, and halves of characters, by their codes.
        return json.dumps(value, ensure_ascii=not value.isprintable())
    below = line if indent is None else line + " " * indent
    if isinstance(value, Mapping):
        colon = ":" if indent is None else ": "
        pairs = [
            f"{_written(str(name), None, line)}{colon}{_written(it, indent, below)}"
            for name, it in value.items()
        ]
        return _enclosed("{}", pairs, indent, line, below)
    if isinstance(value, list | tuple):
        return _enclosed("[]", [_written(it, indent, below) for it in value], indent, line, below)
    return json.dumps(value)


def _enclosed(ends: str, parts: list[str], indent: int | None, line: str, below: str) -> str:
    first, last = ends[0], ends[1]
    if not parts or indent is None:
        return f"{first}{','.join(parts)}{last}"
    return f"{first}{below}{f',{below}'.join(parts)}{line}{last}"
