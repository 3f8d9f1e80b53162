from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bursar.domain.audit import KEPT_DAYS, ActorKind, AuditEntry, AuditFilter
from bursar.domain.cursors import to_cursor
from bursar.domain.errors import InvalidRequest
from bursar.domain.ids import request_id
from bursar.store.connect import connect
from tests.contracts.stores import dynamo_ports, new_table

if TYPE_CHECKING:
    from bursar.ports import AuditLog
    from tests.contracts.stores import Ports

NOW = datetime(2026, 11, 22, 18, 30, 0, 123000, tzinfo=UTC)
WEEK = AuditFilter(NOW - timedelta(days=7), NOW + timedelta(days=1))


def entry(age: timedelta = timedelta(), **fields: object) -> AuditEntry:
    made = AuditEntry(
        request_id=request_id(NOW - age),
        method="DELETE",
        route="/v1/keys/{key_id}",
        status=204,
        actor_kind=ActorKind.PERSON,
        actor_id="p-1",
        actor_name="ada@example.com",
        ids={"key_id": "k-1"},
    )
    return replace(made, **fields)  # type: ignore[arg-type]


@pytest.fixture
def log(ports: Ports) -> AuditLog:
    return ports.audit_log


async def test_an_entry_reads_back_as_it_was_made(log: AuditLog) -> None:
    bare = entry(timedelta(hours=1), actor_id=None, actor_name=None, ids={})
    for each in (entry_ := entry(), bare):
        await log.record(each)
        await log.record(each)

    page = await log.page(WEEK, limit=10)

    assert page.entries == (entry_, bare)
    assert page.next_cursor is None
    assert page.entries[0].created_at == NOW


async def test_pages_run_from_the_newest_to_the_oldest_over_days_and_gaps(log: AuditLog) -> None:
    made = [entry(timedelta(hours=hours)) for hours in (0, 1, 20, 30, 100, 101)]
    for each in made[::-1]:
        await log.record(each)

    pages, cursor = [], None
    for _ in range(3):
        page = await log.page(WEEK, limit=2, cursor=cursor)
        pages.append(list(page.entries))
        cursor = page.next_cursor

    assert pages == [made[:2], made[2:4], made[4:]]
    assert cursor is None


async def test_a_page_stays_where_it_was_when_entries_are_added(log: AuditLog) -> None:
    made = [entry(timedelta(hours=hours)) for hours in (1, 2, 3)]
    for each in made:
        await log.record(each)
    cursor = (await log.page(WEEK, limit=2)).next_cursor

    await log.record(entry())

    assert (await log.page(WEEK, limit=2, cursor=cursor)).entries == (made[2],)


async def test_the_start_belongs_to_the_span_and_the_end_does_not(log: AuditLog) -> None:
    made = [entry(timedelta(hours=hours)) for hours in (1, 2, 3)]
    for each in made:
        await log.record(each)
    wanted = AuditFilter(NOW - timedelta(hours=2), NOW - timedelta(hours=1))

    assert (await log.page(wanted, limit=10)).entries == (made[1],)
    assert not (await log.page(AuditFilter(NOW, WEEK.start), limit=10)).entries


@pytest.mark.parametrize("actor", ["person", "p-1", "ada@example.com"])
async def test_one_actors_entries_are_found_by_kind_id_and_name(log: AuditLog, actor: str) -> None:
    await log.record(mine := entry())
    await log.record(entry(actor_kind=ActorKind.MASTER_KEY, actor_id=None, actor_name=None))

    assert (await log.page(replace(WEEK, actor=actor), limit=10)).entries == (mine,)
    assert not (await log.page(replace(WEEK, actor="p-2"), limit=10)).entries


async def test_a_rare_match_is_found_on_a_page_of_one(log: AuditLog) -> None:
    await log.record(rare := entry(timedelta(hours=9), actor_id="rare"))
    for minutes in range(30):
        await log.record(entry(timedelta(minutes=minutes)))

    page = await log.page(replace(WEEK, actor="rare"), limit=1)

    assert (page.entries, page.next_cursor) == ((rare,), None)


@pytest.mark.parametrize("cursor", ["", "?", "AAAA", to_cursor("yesterday"), "é"])
async def test_a_cursor_of_ones_own_making_is_refused(log: AuditLog, cursor: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await log.page(WEEK, limit=1, cursor=cursor)

    assert refused.value.param == "cursor"


async def test_an_entry_disappears_after_a_year_and_some_weeks(dynoxide: str) -> None:
    call = connect({"DYNAMODB_ENDPOINT": dynoxide})
    table = await new_table(call)
    await dynamo_ports(call, table).audit_log.record(entry())
    (item,) = (await call("Scan", {"TableName": table}))["Items"]
    await call.close()

    assert item["pk"]["S"] == "AUDIT#2026-11-22"
    assert int(item["purge_at"]["N"]) == int((NOW + timedelta(days=KEPT_DAYS)).timestamp())
