"""Which virtual key a model is tried with.

The first that is there: BURSAR_API_KEY; for `--user`, a key made for this; the profile's own, which
`bursar init` keeps; a key made for the profile's user; one that is typed in. What is made for this
may use the one model, ends within the hour by itself, and is deleted when the command ends.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from bursar.cli.failures import NOT_ALLOWED, Failed
from bursar.cli.interrupts import undisturbed
from bursar.cli.secret_store import key_of, read_secret_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bursar.cli.connection import Connection
    from bursar.cli.options import Place

VARIABLE: Final = "BURSAR_API_KEY"
_NAME: Final = "bursar chat"
_LASTS: Final = timedelta(hours=1)


@contextmanager
def a_key(
    place: Place, administrator: Connection | None, user: str | None, model: str
) -> Iterator[str]:
    """A virtual key for the time of trying a model.

    Args:
        administrator: who could make one; None where nobody can.

    Raises:
        Failed: there is none, and none can be made.
    """
    given = os.environ.get(VARIABLE)
    if given and user is None:
        yield given
        return
    kept = None if user or not place.profile_name else read_secret_of(key_of(place.profile_name))
    spender = user or place.profile.user
    if kept is not None:
        yield kept
    elif spender is not None:
        # Nobody can: asking again says why.
        with _made(place, administrator or place.connection(), spender, model) as made:
            yield made
    elif sys.stdin.isatty():
        yield click.prompt("Virtual key", hide_input=True, err=True)
    else:
        raise Failed(
            f"There is no virtual key to ask with: set {VARIABLE}, or name whose a key is made "
            "for this with --user",
            NOT_ALLOWED,
        )


@contextmanager
def _made(place: Place, connection: Connection, user: str, model: str) -> Iterator[str]:
    # The gateway would make a user that it does not know.
    from bursar.cli.fields import path_to  # noqa: PLC0415 (a kept key does without)

    connection.ask("GET", path_to("/v1/users", user))
    expires_at = datetime.now(UTC) + _LASTS
    wanted = {
        "user_id": user,
        "key_name": _NAME,
        "allowed_models": [model],
        "expires_at": expires_at.isoformat(timespec="seconds"),
    }
    made: list[str] = []
    try:
        # Between the gateway's answer and this machine's note of it nothing may come.
        with undisturbed():
            issued = connection.ask("POST", "/v1/keys", wanted)
            made.append(path_to("/v1/keys", issued["id"]))
        place.output.say(f"Made the key {issued['id']} for {user}, for this alone")
        yield str(issued["key"])
    finally:
        with undisturbed():
            for path in made:
                _take_back(place, connection, path, wanted["expires_at"])


def _take_back(place: Place, connection: Connection, path: str, expires_at: object) -> None:
    try:
        connection.ask("DELETE", path)
    except Failed as error:
        click.echo(f"That key is not deleted ({error.message}); it ends at {expires_at}", err=True)
    else:
        place.output.say("Deleted that key")
