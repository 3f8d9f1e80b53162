"""The schedule runs: no hold outlives its deadline, and no period its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.checks import Verdict
from bursar.cli.doctor.plaintext import NO_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bursar.cli.doctor.checks import Context

# Deployed, it runs every five minutes; two runs may fail.
_LATE: Final = timedelta(minutes=15)
_ACCOUNTS_MAX: Final = 10_000
_SHOWN: Final = 10


class Schedule:
    name = "schedule"
    proves = "No hold outlives its deadline, and no account its period."
    calls = False

    def run(self, context: Context) -> Verdict:
        table = context.table
        if table is None:
            return NO_TABLE
        accounts = islice(table.open_accounts(), _ACCOUNTS_MAX)
        latest, seen, late = datetime.now(UTC) - _LATE, 0, list[str]()
        for account in table.named(accounts):
            seen += 1
            late += lateness(account, latest)
        return judge(late, seen)


def judge(late: list[str], seen: int) -> Verdict:
    if late:
        more = (f"and {len(late) - _SHOWN:,} more",) if len(late) > _SHOWN else ()
        return Verdict.failed(
            f"In {seen:,} open accounts the schedule has left {len(late):,} things undone",
            "It does not run, or fails: the alarms BudgetResetErrors and BudgetResetMissing, the "
            "log of its function, on one machine the gateway's own",
            *late[:_SHOWN],
            *more,
        )
    return Verdict.passed(f"{seen:,} open accounts, and nothing in them is overdue")


def lateness(account: Mapping[str, Any], latest: datetime) -> Iterator[str]:
    """What of an account should be over, and is not.

    Args:
        account: an item.
        latest: what ended before this should have been noticed.
    """
    name = f"{account['pk']['S']}/{account['sk']['S']}"
    holds = account.get("holds", {}).get("M", {})
    deadlines = [float(entry["L"][1]["N"]) for entry in holds.values()]
    late = [deadline for deadline in deadlines if deadline < latest.timestamp()]
    if late:
        oldest = datetime.fromtimestamp(min(late), UTC)
        yield f"{name}: {len(late)} holds past their deadline, the first since {oldest:%F %R}"
    _, _, end = account["sk"]["S"].partition("/")
    if not holds and "closed_at" not in account and _is_over(end, latest):
        yield f"{name}: the period ended and is not closed"


def _is_over(end: str, latest: datetime) -> bool:
    try:
        return datetime.fromisoformat(end) < latest
    except ValueError:
        return False  # it never ends
