"""Values in CSV, which people open in spreadsheets."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from bursar.cli.exact_json import dumped
from bursar.cli.output import as_shown

# What a spreadsheet would calculate, or run, and who named it is not who opens it.
_FORMULA: Final = re.compile(r"[=+\-@\t\r]")
_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9.]*(?:[eE][+-]?[0-9]+)?")


def csv_cell(value: Any) -> str:
    """A value as text; one that a spreadsheet would take for a formula has `'` before it."""
    if value is None:
        return ""
    if isinstance(value, str):
        is_formula = _FORMULA.match(value) and not _NUMBER.fullmatch(value)
        return f"'{value}" if is_formula else value
    return as_shown(value) if isinstance(value, Decimal) else dumped(value)
