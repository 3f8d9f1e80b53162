"""All checks, in the order in which they are run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.cli.doctor.clock import Clock
from bursar.cli.doctor.leaving import Leaving
from bursar.cli.doctor.permissions import Permissions
from bursar.cli.doctor.plaintext import Plaintext
from bursar.cli.doctor.prices import Charges, Prices, Rates
from bursar.cli.doctor.protection import Protection
from bursar.cli.doctor.race import Race
from bursar.cli.doctor.reachable import Reachable
from bursar.cli.doctor.schedule import Schedule
from bursar.cli.doctor.streaming import Streaming
from bursar.cli.doctor.weakening import Weakening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.cli.doctor.checks import Check

CHECKS: Final[Sequence[Check]] = (
    Reachable(),
    Clock(),
    Race(),
    Streaming(),
    Leaving(),
    Plaintext(),
    Permissions(),
    Protection(),
    Prices(),
    Rates(),
    Charges(),
    Schedule(),
    Weakening(),
)
NAMES: Final = tuple(check.name for check in CHECKS)


def chosen(only: Sequence[str], skipped: Sequence[str]) -> Sequence[Check]:
    """Those that are asked for; without any name, all."""
    return [
        check for check in CHECKS if (not only or check.name in only) and check.name not in skipped
    ]
