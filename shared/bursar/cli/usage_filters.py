"""Which requests a command is about: the options, and the query that they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.moments import SINCE, UNTIL, as_sent

if TYPE_CHECKING:
    from collections.abc import Callable

PATH: Final = "/v1/usage"
STATUSES: Final = ("success", "error", "disconnected", "expired")
_OPTIONS: Final = (
    SINCE,
    UNTIL,
    click.option("--user", help="Only this user's."),
    click.option("--project", help="Only this project's, by its id."),
    click.option("--key", help="Only with this key, by its id."),
    click.option("--model", help="Only of this model: gpt-4o, or openai:gpt-4o."),
    click.option("--provider", help="Only of this provider."),
    click.option(
        "--status", "--outcome", "status", type=click.Choice(STATUSES), help="Only with this end."
    ),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests are wanted; None does not narrow."""

    since: datetime | None = None
    until: datetime | None = None
    user: str | None = None
    project: str | None = None
    key: str | None = None
    model: str | None = None
    provider: str | None = None
    status: str | None = None

    @property
    def query(self) -> dict[str, object]:
        """The parameters of the API's listing.

        Raises:
            Failed: a user and a project; a project's requests are of no other user.
        """
        if self.user is not None and self.project is not None:
            raise Failed(
                "Give --user or --project, not both: a project spends as a user of its own",
                WRONG_USAGE,
            )
        # A project's books are those of a user made for it.
        user = self.user if self.project is None else f"project/{self.project}"
        return {
            "start": as_sent(self.since),
            "end": as_sent(self.until),
            "user_id": user,
            "key_id": self.key,
            "model": self.model,
            "provider": self.provider,
            "status": self.status,
        }


def narrowed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that narrow; they come as fields of `Wanted`."""
    for option in _OPTIONS[::-1]:
        command = option(command)
    return command
