"""How much one budget, one table and one account of AWS sustain, by formula and by simulation.

`python infra/scale.py` writes infra/SCALE.md; a test fails when the page is not what this computes.
"""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).with_name("SCALE.md")

# Measured with the engines' own accounting (shared/bursar/store/TABLE.md); a test counts them.
ACCOUNT_BYTES: Final = 180
OWN_HOLD_BYTES: Final = 38
SHARED_HOLD_BYTES: Final = 75
UNIT_BYTES: Final = 1_024
# A request writes its account twice, and its record once in another partition.
ACCOUNT_WRITES: Final = 2
RECORD_UNITS: Final = 1

# Limits of AWS, per second where they are rates.
PARTITION_WRITE_UNITS: Final = 1_000
NEW_TABLE_WRITE_UNITS: Final = 4_000
TABLE_WRITE_UNITS: Final = 40_000
WRITE_UNIT_USD: Final = 0.625  # a million
CONCURRENCY: Final = 1_000
API_REQUESTS: Final = 10_000
# The template's own caps, which an operator sets by parameters of these names.
TEMPLATE_WRITE_UNITS: Final = 2_000
TEMPLATE_API_REQUESTS: Final = 100

SECONDS: Final = (0.02, 2.0, 10.0, 30.0)
SIMULATED_REQUESTS: Final = 40_000


@dataclass(frozen=True, slots=True)
class Account:
    """One kind of account by the size of a hold in its item."""

    name: str
    hold_bytes: int

    def units(self, in_flight: float) -> int:
        """Write units of one update with so many holds in the item, its own included."""
        return math.ceil((ACCOUNT_BYTES + self.hold_bytes * in_flight) / UNIT_BYTES)


OWN: Final = Account("a user's own", OWN_HOLD_BYTES)
SHARED: Final = Account("a pool shared by users", SHARED_HOLD_BYTES)


def expected_units(account: Account, in_flight: float) -> float:
    """Write units of an update, on average, where so many requests are in flight on average.

    Arrivals that do not wait for one another find a Poisson number of others in flight, however
    long each takes, and so do those that end; each adds its own hold.
    """
    widest = int(in_flight + 10 * math.sqrt(in_flight) + 10)
    likely = (
        math.exp(others * math.log(in_flight) - in_flight - math.lgamma(others + 1))
        for others in range(widest)
    )
    return sum(p * account.units(others + 1) for others, p in enumerate(likely))


def sustained(account: Account, seconds: float) -> float:
    """Requests a second at which one account's updates take all of its partition's write units.

    With `r` requests a second of `d` seconds each, `r d` are in flight (Little's law), and each
    updates the item twice: `2 r units(r d) = 1000`, which is solved by halving.
    """
    low, high = 0.0, PARTITION_WRITE_UNITS / ACCOUNT_WRITES
    for _ in range(30):
        rate = (low + high) / 2
        used = ACCOUNT_WRITES * rate * expected_units(account, rate * seconds)
        low, high = (rate, high) if used <= PARTITION_WRITE_UNITS else (low, rate)
    return low


def simulated_load(account: Account, seconds: float, rate: float, seed: int = 7) -> float:
    """The share of a partition's write units that random arrivals at a rate use.

    Each request reserves when it arrives and settles when it ends, between half of and one and a
    half times `seconds` later; every update is billed by the item as it then is.
    """
    dice = random.Random(seed)  # noqa: S311 (a simulation)
    warm_up_s = 2 * seconds
    over_s = warm_up_s + SIMULATED_REQUESTS / rate
    ends: list[float] = []
    now = used = 0.0
    while now < over_s:
        now += dice.expovariate(rate)
        while ends and ends[0] <= now:
            settled_at = heapq.heappop(ends)
            used += account.units(len(ends) + 1) * (settled_at >= warm_up_s)
        heapq.heappush(ends, now + seconds * dice.uniform(0.5, 1.5))
        used += account.units(len(ends)) * (now >= warm_up_s)
    return used / (now - warm_up_s) / PARTITION_WRITE_UNITS


def table_requests(write_units: int) -> float:
    """Requests a second of a table whose requests spread over many accounts."""
    return write_units / (ACCOUNT_WRITES + RECORD_UNITS)


def aws_account_requests(seconds: float) -> float:
    """Requests a second that one AWS account's default limits let through."""
    return min(API_REQUESTS, CONCURRENCY / seconds)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _accounts_table() -> str:
    head = ["account", "seconds a request", "requests/s", "in flight", "units an update"]
    rows = [_row(account, seconds) for account in (OWN, SHARED) for seconds in SECONDS]
    return _table([*head, "simulated use of the partition"], rows)


def _row(account: Account, seconds: float) -> list[str]:
    rate = sustained(account, seconds)
    return [
        account.name,
        f"{seconds:g}",
        f"{rate:.0f}",
        f"{rate * seconds:.0f}",
        f"{expected_units(account, rate * seconds):.1f}",
        f"{simulated_load(account, seconds, rate):.0%}",
    ]


def _table_table() -> str:
    rows = [
        [what, f"{units:,}", f"{table_requests(units):,.0f}"]
        for what, units in (
            ("the template's cap, TableMaxWriteUnits", TEMPLATE_WRITE_UNITS),
            ("a new table on demand", NEW_TABLE_WRITE_UNITS),
            ("DynamoDB's default quota of a table", TABLE_WRITE_UNITS),
        )
    ]
    return _table(["limit", "write units/s", "requests/s"], rows)


def _aws_table() -> str:
    head = ["seconds a request", "requests/s", "write units/s", "limited by"]
    rows = []
    for seconds in SECONDS:
        rate = aws_account_requests(seconds)
        by = "API Gateway" if rate == API_REQUESTS else "Lambda's concurrency"
        units = rate * (ACCOUNT_WRITES + RECORD_UNITS)
        rows.append([f"{seconds:g}", f"{rate:,.0f}", f"{units:,.0f}", by])
    return _table(head, rows)


def _dear() -> float:
    return expected_units(OWN, sustained(OWN, 10) * 10)


def document() -> str:
    """The page."""
    return f"""\
# How far it scales

Written by `python infra/scale.py` from sizes and units that tests count, and from AWS's limits; a
test fails when this page is not what the script computes. Nothing here was measured on AWS.

## One budget

An account is one item: {ACCOUNT_BYTES} bytes, and {OWN_HOLD_BYTES} for each hold in flight, or
{SHARED_HOLD_BYTES} in a pool whose holds name their users. DynamoDB bills a write by the started
kilobyte of the whole item, and a partition takes {PARTITION_WRITE_UNITS:,} write units a second. A
request writes its account twice. With `r` requests a second that last `d` seconds, `r · d` holds
are in flight on average, Poisson distributed whatever the durations are, so the ceiling is where
`2 r · E[units(r · d)] = {PARTITION_WRITE_UNITS:,}`:

{_accounts_table()}

The last column is a simulation of {SIMULATED_REQUESTS:,} random arrivals at that rate, with
durations between half and one and a half times the mean, which adds up what each update is billed:
it must come to the whole partition, and does to a few hundredths.

At the ceiling a request's two updates are dear, too: at 10 s each takes {_dear():.0f} units instead
of one, which is {ACCOUNT_WRITES * _dear() * WRITE_UNIT_USD:.2f} dollars a million requests instead
of {ACCOUNT_WRITES * WRITE_UNIT_USD:.2f}.

Beyond it DynamoDB throttles, the store's client retries with jitter for some seconds, and then the
request is refused with 503 before anything was sent. **Nothing is overspent**: what a throttled
settlement leaves behind is settled by the schedule, by its record.

What an operator does, in this order:

1. **Give each user or key a budget of its own** (`"scope": "each"`). They are separate items in
   separate partitions, and DynamoDB splits a hot table down to single items by itself. The ceiling
   above is then each one's own, and only the table's and the account's limits are left.
2. **Split a pool into shards**: `n` pools with an n-th of the limit each, and the keys spread over
   them. Each shard holds, so their sum does. They sustain `n` times as much, and at the same rate
   each item is smaller, so requests cost less. The price is that a shard can refuse while another
   one has money left.
3. **Lease**: a gateway process that lives long reserves a share of the limit with one hold, spends
   from it in memory and settles once. That is no more than two writes a lease instead of two a
   request, and a crash costs at most one lease, which its expiry charges. It is not built: a
   function serves one request at a time and has nothing to share a lease with, so it pays only for
   the container or managed instances.

## One table

With requests spread over many accounts, each costs {ACCOUNT_WRITES + RECORD_UNITS} units:

{_table_table()}

A table on demand takes twice its earlier peak at once; what rises faster may be throttled for up to
half an hour. Before a launch its warm throughput can be raised instead of waited for. Raise
`TableMaxWriteUnits` with it, whose purpose is that a mistake costs no more than that.

## One account of AWS

A function serves one request at a time, so a streamed answer holds a unit of concurrency for all
its seconds: `requests/s = concurrency / seconds`. At the default limits of {CONCURRENCY:,}
concurrent executions and {API_REQUESTS:,} requests a second of API Gateway:

{_aws_table()}

The template's own limit comes first: `ApiRateLimit` is {TEMPLATE_API_REQUESTS} requests a second
until it is raised. Callers beyond any of these limits get 429 and are not charged.

Beyond them:

1. **Ask for concurrency**: AWS raises the quota on request. `ReservedConcurrency` sets this
   gateway's share aside, and is the most it can take from everything else in the account.
2. **Run the same app where one process carries many streams**: the container (infra/Dockerfile), or
   Lambda Managed Instances with a web adapter. Budgets, keys and books are in the table, so both
   can serve beside the functions, on the same budgets, at the same time.
3. **Another region or account** with a table of its own, and each budget at home in one of them.
   A global table would be wrong: its replicas do not see each other's conditions in time.
"""


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
