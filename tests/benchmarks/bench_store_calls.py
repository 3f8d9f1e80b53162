"""CPU a call of the signed client and of boto3, against the embedded engine.

python -m tests.benchmarks.bench_store_calls http://127.0.0.1:8001
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import boto3

from bursar.domain.budgets import AccountKey, user_subject
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from bursar.domain.periods import Period
from bursar.store.boto3_call import Boto3Call
from bursar.store.connect import connect
from tests.contracts.stores import dynamo_ports, new_table

if TYPE_CHECKING:
    from bursar.store.call import Call

NOW = datetime.now(UTC)
ROUNDS = 1_000


async def measure(call: Call, at_once: int) -> tuple[float, float]:
    """Milliseconds of CPU and of wall time for one reserve or settle."""
    ledger = dynamo_ports(call, await new_table(call)).ledger

    async def spend(subject: int, rounds: int) -> None:
        account = AccountKey(user_subject(f"user-{subject}"), Period(NOW))
        for _ in range(rounds):
            deadline = NOW + timedelta(minutes=15)
            hold = Hold(request_id(NOW), Decimal("0.01"), deadline, f"user-{subject}")
            await ledger.reserve(account, hold, Decimal(1_000_000))
            await ledger.settle(account, hold, Decimal("0.005"))

    await spend(0, 20)
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(spend(subject, ROUNDS // at_once) for subject in range(at_once)))
    calls = 2 * (ROUNDS // at_once) * at_once
    return (
        1_000 * (time.process_time() - cpu) / calls,
        1_000 * (time.perf_counter() - wall) / calls,
    )


async def main(endpoint: str) -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    signed, through_boto3 = connect({"DYNAMODB_ENDPOINT": endpoint}), Boto3Call(client)
    print(f"{'client':8} {'at once':>7} {'CPU ms':>8} {'wall ms':>8}")
    for name, call in (("signed", signed), ("boto3", through_boto3)):
        for at_once in (1, 16):
            cpu_ms, wall_ms = await measure(call, at_once)
            print(f"{name:8} {at_once:7} {cpu_ms:8.3f} {wall_ms:8.3f}")
    await signed.close()
    await through_boto3.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
