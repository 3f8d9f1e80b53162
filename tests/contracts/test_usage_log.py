from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from bursar.domain.cursors import to_cursor
from bursar.domain.errors import InvalidRequest
from bursar.domain.ids import first_at, request_id
from bursar.domain.usage import Status, TokenUsage, UsageFilter, UsageRecord

if TYPE_CHECKING:
    from bursar.ports import UsageLog
    from tests.contracts.stores import Ports

NOW = datetime(2026, 11, 22, 18, 30, 0, 123000, tzinfo=UTC)
EVERYTHING = UsageFilter()


@pytest.fixture
def log(ports: Ports) -> UsageLog:
    return ports.usage_log


def entry_at(moment: datetime, user_id: str = "alice", **fields: object) -> UsageRecord:
    bare = UsageRecord(
        request_id=request_id(moment),
        user_id=user_id,
        created_at=moment,
        endpoint="/v1/chat/completions",
        status=Status.SUCCESS,
    )
    return replace(bare, **fields)  # type: ignore[arg-type]


FULL = entry_at(
    NOW,
    status=Status.DISCONNECTED,
    key_id="key-1",
    provider="openai",
    model="gpt-4o",
    usage=TokenUsage(1_200, 35, 1_024),
    cost_usd=Decimal("0.003350000001"),
    is_estimated=True,
    is_streamed=True,
    error_message="The client went away",
    duration_ms=1_432,
    first_token_ms=210,
    input_usd_per_million=Decimal("2.5"),
    output_usd_per_million=Decimal(10),
    rates=(("cached_input", Decimal("0.25")), ("web_search", Decimal(10))),
    price_version="openai:gpt-4o@catalogue 2026-11-25",
    service_tier="flex",
    reported_cost_usd=Decimal("0.000123"),
    upstream_request_id="req_1",
    alias="fast",
    attempts=3,
    route="fallback;after=groq:llama;because=upstream_429",
)


async def record_all(log: UsageLog, entries: list[UsageRecord]) -> list[UsageRecord]:
    """Enter them out of order and give them newest first."""
    for entry in sorted(entries, key=lambda each: each.request_id[::-1]):
        await log.record(entry)
    return sorted(entries, key=lambda each: each.request_id, reverse=True)


async def walk(log: UsageLog, wanted: UsageFilter, limit: int) -> list[UsageRecord]:
    """All pages; each but the last must be full."""
    page = await log.page(wanted, limit=limit)
    found = list(page.records)
    while page.next_cursor is not None:
        assert len(page.records) == limit
        page = await log.page(wanted, limit=limit, cursor=page.next_cursor)
        assert page.records
        assert not {each.request_id for each in found} & {each.request_id for each in page.records}
        found += page.records
    return found


@pytest.mark.parametrize(
    "entry", [entry_at(NOW), FULL, replace(FULL, usage=TokenUsage(), cost_usd=Decimal(0))]
)
async def test_a_record_reads_back_as_it_was_entered(log: UsageLog, entry: UsageRecord) -> None:
    assert await log.record(entry) == entry

    assert (await log.page(EVERYTHING, limit=5)).records == (entry,)
    assert list(await log.user_page("alice", skip=0, limit=5)) == [entry]


async def test_a_requests_first_record_is_kept_and_told(log: UsageLog) -> None:
    await log.record(FULL)

    kept = await log.record(replace(FULL, status=Status.EXPIRED, cost_usd=Decimal(9), usage=None))

    assert kept == FULL
    assert await log.user_page("alice", skip=0, limit=5) == [FULL]


async def test_of_many_records_of_one_request_at_once_one_is_kept(log: UsageLog) -> None:
    entries = [replace(FULL, cost_usd=Decimal(cost)) for cost in range(6)]

    kept = await asyncio.gather(*(log.record(entry) for entry in entries))

    assert len(set(kept)) == 1
    assert await log.user_page("alice", skip=0, limit=10) == [kept[0]]


async def test_a_user_without_records_has_none_of_anothers(log: UsageLog) -> None:
    await log.record(FULL)

    assert await log.user_page("bob", skip=0, limit=10) == []


async def test_an_empty_log_has_one_empty_page(log: UsageLog) -> None:
    page = await log.page(EVERYTHING, limit=10)

    assert (page.records, page.next_cursor) == ((), None)


@pytest.mark.parametrize("limit", [1, 3, 7, 60])
async def test_everybodys_records_are_merged_newest_first(log: UsageLog, limit: int) -> None:
    steps = [timedelta(hours=-5 * number, milliseconds=number) for number in range(30)]
    users = ["alice", "bob", "carol", "alice", "dave#1"]
    entries = await record_all(
        log, [entry_at(NOW + step, users[at % 5]) for at, step in enumerate(steps)]
    )

    assert await walk(log, EVERYTHING, limit) == entries


async def test_days_on_which_nobody_was_active_are_passed_over(log: UsageLog) -> None:
    entries = await record_all(
        log, [entry_at(NOW - timedelta(days=days)) for days in (0, 1, 90, 400)]
    )

    assert await walk(log, EVERYTHING, 2) == entries


async def test_a_record_at_the_very_end_of_a_day_is_listed(log: UsageLog) -> None:
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    moments = [midnight - timedelta(milliseconds=1), midnight, midnight + timedelta(days=1)]
    entries = await record_all(log, [entry_at(moment) for moment in moments])

    assert await walk(log, EVERYTHING, 1) == entries


async def test_one_user_with_more_than_a_page_does_not_hide_the_others(log: UsageLog) -> None:
    busy = [entry_at(NOW - timedelta(seconds=number), "busy") for number in range(40)]
    quiet = [entry_at(NOW - timedelta(seconds=number, milliseconds=1), "q") for number in (3, 39)]
    entries = await record_all(log, [*busy, *quiet])

    assert await walk(log, EVERYTHING, 10) == entries


async def test_a_page_stays_where_it_was_when_records_are_added(log: UsageLog) -> None:
    entries = await record_all(log, [entry_at(NOW - timedelta(hours=at)) for at in range(6)])
    first = await log.page(EVERYTHING, limit=3)

    await log.record(entry_at(NOW + timedelta(hours=1)))
    await log.record(entry_at(NOW + timedelta(hours=2), "newcomer"))

    second = await log.page(EVERYTHING, limit=3, cursor=first.next_cursor)
    assert [*first.records, *second.records] == entries
    assert second.next_cursor is None


async def test_each_filter_narrows(log: UsageLog) -> None:
    other = entry_at(
        NOW - timedelta(seconds=1), "bob", key_id="key-2", provider="mistral", model="small"
    )
    await log.record(FULL)
    await log.record(other)

    async def found(wanted: UsageFilter) -> tuple[UsageRecord, ...]:
        return (await log.page(wanted, limit=10)).records

    assert await found(EVERYTHING) == (FULL, other)
    assert await found(UsageFilter(user_id="alice")) == (FULL,)
    assert await found(UsageFilter(key_id="key-2")) == (other,)
    assert await found(UsageFilter(provider="openai")) == (FULL,)
    assert await found(UsageFilter(model="gpt-4o")) == (FULL,)
    assert await found(UsageFilter(model="mistral:small")) == (other,)
    assert await found(UsageFilter(status=Status.SUCCESS)) == (other,)
    assert await found(UsageFilter(user_id="bob", key_id="key-1")) == ()
    assert await found(UsageFilter(user_id="nobody")) == ()


@pytest.mark.parametrize("user_id", [None, "alice"])
async def test_a_filter_that_matches_few_still_fills_its_pages(
    log: UsageLog, user_id: str | None
) -> None:
    entries = await record_all(
        log,
        [
            entry_at(NOW - timedelta(hours=at), key_id="rare" if at % 10 == 9 else "usual")
            for at in range(60)
        ],
    )
    wanted = UsageFilter(key_id="rare", user_id=user_id)

    assert await walk(log, wanted, 2) == [entry for entry in entries if entry.key_id == "rare"]


@pytest.mark.parametrize("user_id", [None, "alice"])
async def test_a_time_range_includes_its_start_and_excludes_its_end(
    log: UsageLog, user_id: str | None
) -> None:
    entries = await record_all(log, [entry_at(NOW - timedelta(hours=at)) for at in range(80)])
    start, end = NOW - timedelta(hours=60), NOW - timedelta(hours=10)
    wanted = UsageFilter(user_id=user_id, start=start, end=end)

    assert await walk(log, wanted, 7) == entries[11:61]
    assert await walk(log, replace(wanted, start=None), 7) == entries[11:]
    assert await walk(log, replace(wanted, end=None), 7) == entries[:61]
    assert await walk(log, replace(wanted, start=end, end=start), 7) == []


@pytest.mark.parametrize("user_id", [None, "alice"])
async def test_a_range_is_exact_below_the_millisecond(log: UsageLog, user_id: str | None) -> None:
    moments = [NOW + timedelta(microseconds=us) for us in (100, 400, 900)]
    entries = [entry_at(moment) for moment in moments]
    await record_all(log, entries)
    wanted = UsageFilter(user_id, start=moments[1], end=moments[2])

    assert await walk(log, wanted, 5) == [entries[1]]


async def test_a_range_may_reach_to_the_ends_of_time(log: UsageLog) -> None:
    await log.record(FULL)
    earliest, latest = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    assert await walk(log, UsageFilter(start=earliest, end=latest), 5) == [FULL]
    assert await walk(log, UsageFilter(end=earliest), 5) == []
    assert await walk(log, UsageFilter(start=latest), 5) == []


async def test_a_users_records_are_skipped_from_the_newest(log: UsageLog) -> None:
    mine = [entry_at(NOW - timedelta(hours=at)) for at in range(10)]
    await record_all(log, [*mine, entry_at(NOW, "bob")])

    assert list(await log.user_page("alice", skip=0, limit=4)) == mine[:4]
    assert list(await log.user_page("alice", skip=4, limit=4)) == mine[4:8]
    assert list(await log.user_page("alice", skip=8, limit=4)) == mine[8:]
    assert list(await log.user_page("alice", skip=10, limit=4)) == []


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "?",
        "AAAA",
        "é",
        to_cursor(""),
        to_cursor("x" * 36),
        to_cursor(first_at(NOW)[:-1]),
        to_cursor(str(UUID(int=0))),
    ],
)
async def test_a_cursor_of_ones_own_making_is_refused(log: UsageLog, cursor: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await log.page(EVERYTHING, limit=1, cursor=cursor)

    assert refused.value.param == "cursor"
