"""What the checks make on a gateway, and that nothing of it stays.

Users carry the run's name, and so does the price. Keys end by themselves within the hour, so that
even a run that is killed leaves nothing that could be used. Usage records stay: they are the books.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.failures import NOT_FOUND, Failed, RefusedByGateway
from bursar.cli.fields import path_to
from bursar.cli.interrupts import orderly_end, undisturbed
from bursar.cli.options import Session
from bursar.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal


_LASTS: Final = timedelta(hours=1)
# So that no limit of the deployment's stands in the way of many calls at once.
_RPM: Final = 100_000
# From this status on, an error does not say that nothing was made.
_FAULTS: Final = 500


@dataclass(frozen=True, slots=True)
class Holder:
    """A temporary user with a key."""

    user_id: str
    key: str = field(repr=False)


@dataclass(slots=True)
class Temporary:
    """Makes things, and remembers how to take them away.

    Attributes:
        name: the run's, as in doctor-3f9a1c.
    """

    session: Session
    name: str = field(default_factory=lambda: f"doctor-{secrets.token_hex(4)}")
    _made: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def removed(self) -> Iterator[None]:
        """Take everything away at the end, whatever the end is."""
        with orderly_end():
            try:
                yield
            finally:
                with undisturbed():
                    self._remove()

    def holder(self, label: str, model: str, limit_usd: Decimal | None = None) -> Holder:
        """Make a user with a key for one model, and with a budget if a limit is given."""
        user_id = f"{self.name}-{label}"
        wanted: dict[str, Any] = {"user_id": user_id, "rate_limit_rpm": _RPM}
        if limit_usd is not None:
            budget = {"max_budget": limit_usd}
            wanted["budget_id"] = self._post("/v1/budgets", budget, "budget_id")["budget_id"]
        self._post("/v1/users", wanted, "user_id", user_id)
        key = self._post("/v1/keys", self._key_of(user_id, model), "id")
        return Holder(user_id, key["key"])

    def price(self, model: str, output_usd_per_million: Decimal) -> None:
        """Price a model's output; its input is free."""
        row = {
            "model_key": model,
            "input_price_per_million": 0,
            "output_price_per_million": output_usd_per_million,
        }
        self._post("/v1/pricing", row, "model_key", model)

    def _key_of(self, user_id: str, model: str) -> dict[str, Any]:
        expires_at = datetime.now(UTC) + _LASTS
        return {
            "user_id": user_id,
            "key_name": self.name,
            "allowed_models": [model],
            "expires_at": expires_at.isoformat(timespec="seconds"),
        }

    def _post(
        self, path: str, body: dict[str, Any], identifier: str, chosen: str | None = None
    ) -> dict[str, Any]:
        """Make a record, and note it.

        Args:
            chosen: its id, where it is not the gateway that makes it up. It is noted even if no
                answer comes, for it may be there.
        """
        if chosen is not None:
            self._made.append((path, chosen))
        # Between the gateway's answer and this machine's note of it nothing may come.
        with undisturbed():
            try:
                made: dict[str, Any] = self.session.ask("POST", path, body)
            except RefusedByGateway as refusal:
                if chosen is not None and refusal.status < _FAULTS:
                    self._made.pop()
                raise
            if chosen is None:
                self._made.append((path, str(made[identifier])))
        return made

    def _remove(self) -> None:
        """The newest first: a budget goes after the user who has it."""
        left = []
        for collection, identifier in reversed(self._made):
            try:
                self.session.ask("DELETE", path_to(collection, identifier))
            except Failed as error:
                if error.exit_code != NOT_FOUND:
                    left.append(f"{collection}/{identifier}: {error.message}")
        self._made.clear()
        for one in left:
            # Also where nothing else is to be said.
            told = printable(f"This could not be removed, do it by hand: {one}")
            click.echo(told, err=True)
