from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.cursors import to_cursor
from bursar.domain.errors import InvalidRequest
from bursar.domain.usage import ResetRecord

if TYPE_CHECKING:
    from bursar.ports import ResetLog
    from tests.contracts.stores import Ports

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
ENTRY = ResetRecord(
    budget_id="tier-1",
    subject="user/alice#1",
    period_start=NOW - timedelta(days=1),
    reset_at=NOW,
    next_reset_at=NOW + timedelta(days=1),
    previous_spend_usd=Decimal("1.25"),
)


@pytest.fixture
def log(ports: Ports) -> ResetLog:
    return ports.reset_log


def entries(count: int) -> list[ResetRecord]:
    """One a day, the newest first."""
    return [
        replace(ENTRY, reset_at=NOW - timedelta(days=day, microseconds=day)) for day in range(count)
    ]


async def test_an_entry_reads_back_as_it_was_made(log: ResetLog) -> None:
    never_again = replace(ENTRY, subject="pool/tier-1", next_reset_at=None)

    assert await log.append(ENTRY)
    assert await log.append(never_again)

    assert await log.page("tier-1", limit=10) == ([ENTRY, never_again], None)


async def test_a_reset_is_entered_once(log: ResetLog) -> None:
    outcomes = await asyncio.gather(*(log.append(replace(ENTRY)) for _ in range(4)))

    assert sorted(outcomes) == [False, False, False, True]
    assert not await log.append(replace(ENTRY, previous_spend_usd=Decimal(9)))
    assert await log.page("tier-1", limit=10) == ([ENTRY], None)


async def test_budgets_are_listed_apart(log: ResetLog) -> None:
    await log.append(ENTRY)

    assert await log.page("tier-2", limit=10) == ([], None)
    assert await log.append(replace(ENTRY, budget_id="tier-2"))


async def test_pages_run_from_the_newest_to_the_oldest(log: ResetLog) -> None:
    made = entries(5)
    for entry in reversed(made):
        await log.append(entry)

    first, cursor = await log.page("tier-1", limit=2)
    second, following = await log.page("tier-1", limit=2, cursor=cursor)
    third, end = await log.page("tier-1", limit=2, cursor=following)

    assert [*first, *second, *third] == made
    assert end is None


async def test_a_full_last_page_has_no_successor(log: ResetLog) -> None:
    for entry in entries(2):
        await log.append(entry)

    _, cursor = await log.page("tier-1", limit=2)

    assert cursor is None


async def test_a_page_stays_where_it_was_when_entries_are_added(log: ResetLog) -> None:
    made = entries(4)
    for entry in made:
        await log.append(entry)
    _, cursor = await log.page("tier-1", limit=2)

    await log.append(replace(ENTRY, reset_at=NOW + timedelta(days=1)))

    assert await log.page("tier-1", limit=2, cursor=cursor) == (made[2:], None)


async def test_subjects_reset_at_the_same_time_are_all_listed(log: ResetLog) -> None:
    made = [replace(ENTRY, subject=f"user/{name}") for name in "edcba"]
    for entry in made:
        await log.append(entry)

    first, cursor = await log.page("tier-1", limit=3)
    rest, _ = await log.page("tier-1", limit=3, cursor=cursor)

    assert [*first, *rest] == made


@pytest.mark.parametrize(
    "cursor", ["", "?", "AAAA", to_cursor("yesterday#a"), to_cursor("2026-13-01"), "é"]
)
async def test_a_cursor_of_ones_own_making_is_refused(log: ResetLog, cursor: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await log.page("tier-1", limit=1, cursor=cursor)

    assert refused.value.param == "cursor"
