"""The schedule's function, as Lambda calls it, on the real engine."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from bursar import bootstrap
from bursar.domain.budgets import AccountKey
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from bursar.domain.periods import Period
from bursar.domain.usage import Status
from bursar.store.connect import connect
from bursar.store.schema import ensure_table
from functions.budget_reset.handler import handler

if TYPE_CHECKING:
    import pytest

_EVENT = Path(__file__).parents[2] / "events" / "schedule.json"


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 60_000


async def _an_overdue_hold(environ: dict[str, str], table: str) -> tuple[AccountKey, Hold]:
    call = connect(environ)
    try:
        await ensure_table(call, table)
        storage = bootstrap.connect(call, table)
        made = datetime.now(UTC) - timedelta(hours=2)
        account = AccountKey("user/alice", Period(made, made + timedelta(hours=1)))
        hold = Hold(request_id(made), Decimal("0.25"), made + timedelta(minutes=15), "alice")
        assert await storage.ledger.reserve(account, hold, Decimal(1)) is None
        return account, hold
    finally:
        await call.close()


async def _after(environ: dict[str, str], table: str, hold: Hold) -> tuple[Status, int]:
    call = connect(environ)
    try:
        storage = bootstrap.connect(call, table)
        record = await storage.usage_log.find("alice", hold.hold_id)
        assert record is not None
        return record.status, len([account async for account in storage.ledger.open_accounts()])
    finally:
        await call.close()


def test_the_schedule_expires_what_is_overdue_and_closes_what_is_over(
    dynoxide: str, monkeypatch: pytest.MonkeyPatch
) -> None:

    table = f"reset-{uuid4().hex}"
    environ = {"DYNAMODB_ENDPOINT": dynoxide, "BURSAR_TABLE": table}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    _, hold = asyncio.run(_an_overdue_hold(environ, table))
    event = json.loads(_EVENT.read_text())
    first = handler(event, _Context())
    assert (first["holds_expired"], first["is_complete"]) == (1, True)
    handler(event, _Context())
    again = handler(event, _Context())
    assert (again["accounts_seen"], again["holds_expired"]) == (0, 0)
    assert asyncio.run(_after(environ, table, hold)) == (Status.EXPIRED, 0)
