"""The schedule's function, as Lambda calls it, on the real engine."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from bursar import bootstrap
from bursar.domain.budgets import AccountKey
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from bursar.domain.periods import Period
from bursar.domain.usage import Status
from bursar.store.connect import connect
from bursar.store.schema import ensure_table

_EVENT = Path(__file__).parents[2] / "events" / "schedule.json"


_INVOKE = """
import json, sys
from types import SimpleNamespace
from functions.budget_reset.handler import handler
event = json.load(sys.stdin)
context = SimpleNamespace(aws_request_id="a-run", get_remaining_time_in_millis=lambda: 60_000)
for _ in range(3):
    print(json.dumps(handler(event, context)))
"""


def _three_runs(environ: dict[str, str]) -> list[dict[str, Any]]:
    """All lines that the function writes when Lambda calls it three times."""
    done = subprocess.run(
        [sys.executable, "-c", _INVOKE],
        input=_EVENT.read_text(),
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


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
        (record,) = await storage.usage_log.user_page("alice", skip=0, limit=10)
        assert record.request_id == hold.hold_id
        return record.status, len([account async for account in storage.ledger.open_accounts()])
    finally:
        await call.close()


def test_the_schedule_expires_what_is_overdue_and_closes_what_is_over(dynoxide: str) -> None:
    table = f"reset-{uuid4().hex}"
    environ = {"DYNAMODB_ENDPOINT": dynoxide, "BURSAR_TABLE": table}
    _, hold = asyncio.run(_an_overdue_hold(environ, table))
    lines = _three_runs(environ)
    first, _, again = (line for line in lines if "is_complete" in line and "level" not in line)
    assert (first["holds_expired"], first["is_complete"]) == (1, True)
    assert (again["accounts_seen"], again["holds_expired"]) == (0, 0)
    assert asyncio.run(_after(environ, table, hold)) == (Status.EXPIRED, 0)


def test_the_schedule_logs_and_counts_what_it_did(dynoxide: str) -> None:
    table = f"reset-{uuid4().hex}"
    environ = {
        "DYNAMODB_ENDPOINT": dynoxide,
        "BURSAR_TABLE": table,
        "POWERTOOLS_SERVICE_NAME": "some-stack",
    }
    _, hold = asyncio.run(_an_overdue_hold(environ, table))
    lines = _three_runs(environ)
    assert [line["HoldsExpired"] for line in lines if "HoldsExpired" in line] == [1, 0, 0]
    assert [line["ColdStarts"] for line in lines if "ColdStarts" in line] == [1]
    (warned,) = (line for line in lines if line.get("level") == "WARNING")
    assert (warned["request_id"], warned["as"]) == (hold.hold_id, "expired")
    done = [line for line in lines if line.get("message") == "sweep done"]
    assert len(done) == 3
    for line in [warned, *done]:
        assert (line["service"], line["aws_request_id"]) == ("some-stack", "a-run")
