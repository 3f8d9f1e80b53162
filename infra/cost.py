"""What a deployment costs, from counted units, measured sizes and stated prices.

`python infra/cost.py` writes infra/COST.md; a test fails when the page is not what this computes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE: Final = Path(__file__).with_name("COST.md")

# Counted by tests/contracts/test_request_units.py, on requests that go through the whole gateway.
WRITE_UNITS_A_REQUEST: Final = 3
READ_UNITS_A_COLD_REQUEST: Final = Decimal("2.5")
# Measured: lengths of the lines by tests/infrastructure/test_cost.py, the rest by `make bench-cold`
# and `make bench` (tests/benchmarks/RESULTS.md).
METRIC_LINE_BYTES: Final = 1_000
ACCESS_LINE_BYTES: Final = 500
USAGE_RECORD_BYTES: Final = 700
WARM_REQUEST_CPU_MS: Final = Decimal("1.0")
MEMORY_USED_MB: Final = 37
SERVER_REQUEST_CPU_MS: Final = Decimal("1.15")
SERVER_EVENT_CPU_MS: Final = Decimal("0.062")
# A streamed answer: 30 events a second of 250 bytes.
EVENTS_A_SECOND: Final = 30
BYTES_A_SECOND: Final = 7_500

SECONDS: Final = (2, 10, 30)
MEMORY_MB: Final = (128, 256, 512)
MILLION: Final = 1_000_000
HOURS_A_MONTH: Final = 730
SECONDS_A_MONTH: Final = HOURS_A_MONTH * 3_600
GB: Final = 1_000_000_000
VCPU_MB: Final = 1_769

FUNCTION_URL: Final = "function URL"
REST_API: Final = "REST API"


@dataclass(frozen=True, slots=True)
class Price:
    """A list price of us-east-1 in US dollars, and when it was read."""

    usd: Decimal
    unit: str
    what: str
    as_of: str


def _price(usd: str, unit: str, what: str, as_of: str = "22 November 2026") -> Price:
    return Price(Decimal(usd), unit, what, as_of)


_RECALLED: Final = "not looked up again; check it"
LAMBDA_GB_S: Final = _price("0.0000133334", "GB-second", "Lambda, arm64, duration")
LAMBDA_CALLS: Final = _price("0.20", "million", "Lambda, invocations")
WRITES: Final = _price("0.625", "million", "DynamoDB, write request units on demand")
READS: Final = _price("0.125", "million", "DynamoDB, read request units on demand")
REST_CALLS: Final = _price("3.50", "million", "API Gateway, REST API, requests of up to 10 MB")
LOGS: Final = _price("0.50", "GB", "CloudWatch Logs, ingestion", _RECALLED)
METRIC: Final = _price("0.30", "month", "CloudWatch, a custom metric", _RECALLED)
ALARM: Final = _price("0.10", "month", "CloudWatch, an alarm", _RECALLED)
CRYPTO_KEY: Final = _price("1.00", "month", "KMS, a key", _RECALLED)
DASHBOARD: Final = _price("3.00", "month", "CloudWatch, a dashboard beyond three", _RECALLED)
SNAPSHOT_GB_S: Final = _price("0.0000015046", "GB-second", "SnapStart, cached snapshot", _RECALLED)
RESTORE_GB: Final = _price("0.0001397998", "GB", "SnapStart, restored snapshot", _RECALLED)
STORAGE: Final = _price("0.25", "GB-month", "DynamoDB, storage beyond 25 GB", _RECALLED)
BACKUP: Final = _price("0.20", "GB-month", "DynamoDB, point-in-time recovery", _RECALLED)
TRAFFIC: Final = _price("0.09", "GB", "Traffic to the internet beyond 100 GB", _RECALLED)
VCPU: Final = _price("0.03238", "hour", "Fargate, a vCPU, arm64")
TASK_GB: Final = _price("0.00356", "hour", "Fargate, a GB of memory, arm64")
BALANCER: Final = _price("0.0225", "hour", "Application Load Balancer", _RECALLED)
CAPACITY: Final = _price("0.008", "hour", "Application Load Balancer, capacity unit", _RECALLED)
DATABASE: Final = _price("0.064", "hour", "RDS PostgreSQL, db.t4g.small, two zones")
DISK: Final = _price("0.23", "GB-month", "RDS, gp3, two zones (twice 0.115)")
PRICES: Final = (
    *(LAMBDA_GB_S, LAMBDA_CALLS, WRITES, READS, REST_CALLS, LOGS, METRIC, ALARM, DASHBOARD),
    *(CRYPTO_KEY, SNAPSHOT_GB_S, RESTORE_GB, STORAGE, BACKUP, TRAFFIC),
    *(VCPU, TASK_GB, BALANCER, CAPACITY, DATABASE, DISK),
)

# What stands in the template.
SCHEDULE_RUNS_A_MONTH: Final = HOURS_A_MONTH * 12
SCHEDULE_SECONDS: Final = Decimal("0.3")
SCHEDULE_MB: Final = 256
SCHEDULE_READ_UNITS: Final = 4
SNAPSHOTS_MB: Final = (256, 512)
ALARMS: Final = 11
DASHBOARDS: Final = 1
IDLE_METRICS: Final = 4
ACTIVE_METRICS: Final = 24

# The container beside it: two tasks for availability, as the functions have without asking.
TASKS: Final = 2
TASK_VCPU: Final = Decimal("0.5")
TASK_MEMORY_GB: Final = 1
DISK_GB: Final = 20


def total_usd(parts: Mapping[str, Decimal]) -> Decimal:
    """The sum of parts."""
    return sum(parts.values(), Decimal(0))


def request_usd(seconds: int, memory_mb: int, front: str) -> dict[str, Decimal]:
    """US dollars of a million streamed requests, by what they are paid for."""
    gb_s = Decimal(seconds * memory_mb) / 1_024 * MILLION
    logged_gb = Decimal((METRIC_LINE_BYTES + ACCESS_LINE_BYTES) * MILLION) / GB
    return {
        "duration": gb_s * LAMBDA_GB_S.usd,
        "invocations": LAMBDA_CALLS.usd,
        "writes": WRITE_UNITS_A_REQUEST * WRITES.usd,
        "reads": READ_UNITS_A_COLD_REQUEST * READS.usd,
        "logs": logged_gb * LOGS.usd,
        "front door": REST_CALLS.usd if front == REST_API else Decimal(0),
    }


def idle_usd(*, snap_start: bool = True, alarms_are_sent: bool = True) -> dict[str, Decimal]:
    """US dollars of a month without a request, by what they are paid for.

    Args:
        snap_start: the template's parameter.
        alarms_are_sent: in production, or with an AlarmEmail: their topic has a key of its own.
    """
    runs = SCHEDULE_RUNS_A_MONTH
    gb_s = runs * SCHEDULE_SECONDS * SCHEDULE_MB / 1_024
    snapshots_gb = Decimal(sum(SNAPSHOTS_MB)) / 1_024 if snap_start else Decimal(0)
    reads = Decimal(runs * SCHEDULE_READ_UNITS) / MILLION
    return {
        "schedule, function": gb_s * LAMBDA_GB_S.usd + runs * LAMBDA_CALLS.usd / MILLION,
        "schedule, reads": reads * READS.usd,
        "alarms": ALARMS * ALARM.usd,
        "key of the alarms' topic": CRYPTO_KEY.usd if alarms_are_sent else Decimal(0),
        "dashboard": DASHBOARDS * DASHBOARD.usd,
        "metrics": IDLE_METRICS * METRIC.usd,
        "snapshots": snapshots_gb * SECONDS_A_MONTH * SNAPSHOT_GB_S.usd,
    }


def container_usd() -> dict[str, Decimal]:
    """US dollars of a month of the container beside it, whatever it serves."""
    task = TASK_VCPU * VCPU.usd + TASK_MEMORY_GB * TASK_GB.usd
    return {
        "tasks": TASKS * task * HOURS_A_MONTH,
        "load balancer": (BALANCER.usd + CAPACITY.usd) * HOURS_A_MONTH,
        "database": DATABASE.usd * HOURS_A_MONTH,
        "disk": DISK_GB * DISK.usd,
    }


def container_streams() -> int:
    """Streams at once on one task at half of its CPU, so that the other one can fail."""
    event_cores = EVENTS_A_SECOND * SERVER_EVENT_CPU_MS / 1_000
    request_cores = SERVER_REQUEST_CPU_MS / 1_000 / 10
    return int(TASK_VCPU / 2 / (event_cores + request_cores))


def break_even_requests(seconds: int, memory_mb: int, front: str) -> int:
    """Requests a month at which the container costs as much, idle costs of the functions apart."""
    each = total_usd(request_usd(seconds, memory_mb, front)) / MILLION
    idle = total_usd(idle_usd())
    return int((total_usd(container_usd()) - idle) / each)


def _usd(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _requests_table() -> str:
    head = ["front door", "memory", *(f"{seconds} s" for seconds in SECONDS)]
    rows = [
        [
            front,
            f"{memory} MB",
            *(_usd(total_usd(request_usd(it, memory, front))) for it in SECONDS),
        ]
        for front in (REST_API, FUNCTION_URL)
        for memory in MEMORY_MB
    ]
    return _table(head, rows)


def _parts_table() -> str:
    parts = request_usd(10, 256, REST_API)
    total = total_usd(parts)
    rows = [[name, _usd(usd), f"{usd / total:.0%}"] for name, usd in parts.items()]
    return _table(["part", "USD", "share"], [*rows, ["sum", _usd(total), ""]])


def _months_table(parts: dict[str, Decimal]) -> str:
    rows = [[name, _usd(usd)] for name, usd in parts.items()]
    return _table(["part", "USD a month"], [*rows, ["sum", _usd(total_usd(parts))]])


def _break_even_table() -> str:
    head = ["front door", "memory", *(f"{seconds} s" for seconds in SECONDS)]
    rows = [
        [front, f"{memory} MB", *(f"{break_even_requests(it, memory, front):,}" for it in SECONDS)]
        for front in (REST_API, FUNCTION_URL)
        for memory in MEMORY_MB
    ]
    return _table(head, rows)


def _cpu_table() -> str:
    rows = [
        [f"{memory} MB", f"{Decimal(memory) / VCPU_MB:.3f}", f"{_cpu_wait_ms(memory):.1f} ms"]
        for memory in MEMORY_MB
    ]
    return _table(["memory", "vCPU", "the gateway's CPU, waited for"], rows)


def _cpu_wait_ms(memory_mb: int) -> Decimal:
    return WARM_REQUEST_CPU_MS * VCPU_MB / memory_mb


def _prices_table() -> str:
    rows = [[it.what, f"{it.usd:f}", it.unit, it.as_of] for it in PRICES]
    return _table(["what", "USD", "per", "as of"], rows)


def _kept_usd() -> Decimal:
    return Decimal(USAGE_RECORD_BYTES * MILLION) / GB * (STORAGE.usd + BACKUP.usd)


def document() -> str:
    """The page."""
    traffic = ", ".join(
        f"{_usd(Decimal(it * BYTES_A_SECOND * MILLION) / GB * TRAFFIC.usd)} for {it} s"
        for it in SECONDS
    )
    fixed = _usd(total_usd(container_usd()))
    return f"""\
# What it costs

Written by `python infra/cost.py` from counted write units, measured sizes and the list prices
below; a test fails when this page is not what the script computes. US dollars, us-east-1, without
free tiers, taxes, provider bills and support.

## A million streamed requests

{_requests_table()}

One budget a request, few in flight on it. Of a request of 10 s at 256 MB behind a REST API:

{_parts_table()}

- **Duration is nearly all of it**, because a function waits as long as its provider talks. Memory
  is the lever: the data plane uses {MEMORY_USED_MB} MB after its first requests, beside the
  runtime's own. What less memory costs is CPU, which Lambda hands out by memory ({VCPU_MB} MB are
  one vCPU). A warm request takes {WARM_REQUEST_CPU_MS} ms of CPU:

{_cpu_table()}

- **Writes**: {WRITE_UNITS_A_REQUEST} units a request, counted: reserve, record, settle. A further
  budget adds two units, a rate limit one. With many holds in flight on one account its two updates
  cost more units; [SCALE.md](SCALE.md) says how many.
- **Reads**: at most {READ_UNITS_A_COLD_REQUEST} units, of a request that finds nothing in memory,
  which is charged here each time. Within five seconds in one process they cost nothing.
- **Logs**: one metric line of at most {METRIC_LINE_BYTES} bytes and one line of the API's access
  log.
- **Traffic** is not in the table, since any gateway has it: {traffic},
  at {BYTES_A_SECOND:,} bytes a second.
- **The books**: a million usage records take {_usd(_kept_usd())} a month with their backups.
- **Cold starts**: Lambda charges the time of an initialisation like any other. At {MEMORY_MB[1]} MB
  one of a second costs {MEMORY_MB[1] / 1024 * float(LAMBDA_GB_S.usd):.7f}. With SnapStart a restore
  costs {Decimal(MEMORY_MB[1]) / 1024 * RESTORE_GB.usd:.7f} instead.

## A month without a request

{_months_table(idle_usd())}

The table, its index and its backups cost by what they hold, so nothing yet. Snapshots are those of
one version of the proxy and of the administration; every older version that is kept costs as much
again. Without SnapStart and with nobody to tell of alarms it is
{_usd(total_usd(idle_usd(snap_start=False, alarms_are_sent=False)))}; the first ten alarms, ten
metrics and three dashboards of an AWS account are free.
A month with requests to one provider has {ACTIVE_METRICS} metrics
({_usd(ACTIVE_METRICS * METRIC.usd)}), a further provider about ten more; the number of requests
does not matter.

## Beside a container with a database

What the same gateway takes as a service that runs all the time: {TASKS} Fargate tasks of
{TASK_VCPU} vCPU and {TASK_MEMORY_GB} GB, so that one may fail, a load balancer, and PostgreSQL in
two zones with {DISK_GB} GB.

{_months_table(container_usd())}

One task relays about {container_streams()} streams at once on half of its CPU, by the measured
{SERVER_EVENT_CPU_MS} ms an event and {SERVER_REQUEST_CPU_MS} ms a request. Requests a month at
which its {fixed} are what the functions cost:

{_break_even_table()}

Below that, functions are cheaper, and at nothing they cost nearly nothing; above it, and with a
steady load, the container is. It is the same code (infra/Dockerfile), also on DynamoDB, which
replaces the database's part by {_usd(WRITE_UNITS_A_REQUEST * WRITES.usd)} a million requests.
Lambda Managed Instances lie between the two: many streams share one instance's memory.

## Prices

{_prices_table()}
"""


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
