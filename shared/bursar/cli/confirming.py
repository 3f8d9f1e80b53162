"""Asks before something is destroyed."""

from __future__ import annotations

import sys

import click

from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.printable import printable

YES = click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")


def confirm_by_name(name: str, what: str, *, is_sure: bool) -> None:
    """Have the name of what will be destroyed typed.

    Raises:
        Failed: nobody can be asked, or something else was typed.
    """
    if is_sure:
        return
    # As it is shown it can be typed.
    name, what = printable(name), printable(what)
    if not sys.stdin.isatty():
        raise Failed(f"This would {what}, and there is nobody to ask: add --yes", WRONG_USAGE)
    typed = click.prompt(
        f"This will {what}. Type {name} to go on", err=True, default="", show_default=False
    )
    if typed != name:
        raise Failed("Nothing was done", WRONG_USAGE)
