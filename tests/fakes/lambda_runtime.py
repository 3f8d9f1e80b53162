"""The proxy's function in the runtime's own client, and a table for it to work on."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import uuid4

from bursar import bootstrap
from bursar.domain.keys import VirtualKey, digest_of
from bursar.domain.pricing import Price
from bursar.domain.usage import UsageFilter, UsageRecord
from bursar.domain.users import User
from bursar.store.connect import connect
from bursar.store.schema import ensure_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KEY_OF_THE_EVENTS = "gw-put-a-virtual-key-of-your-own-gateway-in-place-of-this"
HANDLER = "functions.proxy.handler.handler"
STOP_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Table:
    """A table where the keys and models of `events/` are known.

    Attributes:
        environ: what a function needs to find it.
    """

    environ: Mapping[str, str]

    async def records(self) -> list[UsageRecord]:
        call = connect(self.environ)
        try:
            log = bootstrap.connect(call, self.environ["BURSAR_TABLE"]).usage_log
            return list((await log.page(UsageFilter(), limit=100)).records)
        finally:
            await call.close()


async def a_table(endpoint: str) -> Table:
    name = f"lambda-{uuid4().hex}"
    table = Table(
        {
            "DYNAMODB_ENDPOINT": endpoint,
            "BURSAR_TABLE": name,
            "BURSAR_MASTER_KEY": "master-key-of-the-tests",
            "BURSAR_MOCK": "true",
        }
    )
    call = connect(table.environ)
    try:
        await ensure_table(call, name)
        directory, now = bootstrap.connect(call, name).directory, datetime.now(UTC)
        await directory.prices.put(Price("mock:echo", Decimal(1), Decimal(2), now, now))
        await directory.users.put(User("alice", now, now, now))
        digest = digest_of(KEY_OF_THE_EVENTS)
        await directory.keys.put(VirtualKey("key", "alice", digest, now))
        await directory.link_digest(digest, "key")
    finally:
        await call.close()
    return table


@contextlib.contextmanager
def running(
    command: Sequence[str], folder: Path, environ: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A function's process, with its output in `folder`/output."""
    with (
        (folder / "output").open("wb") as output,
        subprocess.Popen(
            [*command, sys.executable, "-m", "awslambdaric", HANDLER],
            env={"PATH": os.environ["PATH"], "AWS_REGION": "eu-central-1", **environ},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
