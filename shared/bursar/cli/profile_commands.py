"""`bursar profiles`: gateways by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from bursar.cli.confirming import YES, confirm_by_name
from bursar.cli.keeping import led_to
from bursar.cli.options import displays
from bursar.cli.output import Column
from bursar.cli.profiles import read_profiles, write_profiles
from bursar.cli.secret_store import forget_secret_of, key_of, place_of

if TYPE_CHECKING:
    from bursar.cli.output import Output

COLUMNS: Final = (
    Column("name", "PROFILE"),
    Column("is_default", "DEFAULT"),
    Column("url", "URL"),
    Column("stack", "STACK"),
    Column("region", "REGION"),
    Column("user", "USER"),
    Column("model", "MODEL"),
    Column("secret_in", "SECRET IN"),
)


@click.group()
def profiles() -> None:
    """Gateways by name, and which of them is meant where none is named."""


@profiles.command("list")
@displays
def list_profiles(output: Output) -> None:
    """List profiles; secrets are told by where they are.

    Example: bursar profiles list -o json
    """
    known = read_profiles()
    rows = [
        {
            "name": name,
            "is_default": name == known.default,
            "url": row.url,
            "stack": row.stack,
            "region": row.region,
            "user": row.user,
            "model": row.model,
            "secret_in": "AWS" if row.stack else place_of(name),
        }
        for name, row in known.by_name.items()
    ]
    output.rows(rows, COLUMNS)
    if not rows:
        output.say("There are none yet: bursar login URL, or bursar init")


@profiles.command()
@click.argument("name")
@displays
def use(output: Output, name: str) -> None:
    """Make a profile the default.

    Example: bursar profiles use prod
    """
    known = read_profiles()
    row = known.named(name)
    write_profiles(replace(known, default=name))
    output.say(f"Commands ask {led_to(row)} now")


@profiles.command()
@click.argument("name")
@YES
@displays
def remove(output: Output, name: str, *, is_sure: bool) -> None:
    """Forget a profile and its secrets. The gateway stays as it is.

    Example: bursar profiles remove dev
    """
    known = read_profiles()
    what = f"forget the profile {name} of {led_to(known.named(name))} and its master key"
    confirm_by_name(name, what, is_sure=is_sure)
    for secret in (name, key_of(name)):
        forget_secret_of(secret)
    write_profiles(known.without(name))
    output.say(f"Forgot {name}")
