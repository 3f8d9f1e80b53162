"""The tables, in Markdown, ratios against the floor first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.scenarios import CONCURRENCIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.benchmarks.counting_engine import Counted
    from tests.benchmarks.processes import Subject
    from tests.benchmarks.scenarios import Measured


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def ratios(results: Mapping[str, Measured]) -> str:
    """How many times the floor's cost; a first token is a difference, in milliseconds."""
    floor = results["floor"]
    columns = [
        "against the floor",
        *(f"CPU a request, c = {c}" for c in CONCURRENCIES),
        "CPU an event, burst",
        "CPU an event, paced",
        "first token later, ms",
        "p50 later, c = 1, ms",
    ]
    costs = [f"cpu_us_{c}" for c in CONCURRENCIES] + ["burst_event_us_8", "paced_event_us"]
    rows = [
        [
            name,
            *(f"{one.median(cost) / floor.median(cost):.1f} x" for cost in costs),
            f"{one.median('first_event_ms') - floor.median('first_event_ms'):.1f}",
            f"{one.median('p50_ms_1') - floor.median('p50_ms_1'):.1f}",
        ]
        for name, one in results.items()
        if name not in ("floor", "direct")
    ]
    return table(columns, rows)


def not_streamed(results: Mapping[str, Measured]) -> str:
    direct = results["direct"]
    columns = [
        "not streamed",
        "CPU us a request, c = 1 / 16 / 64",
        "engine's CPU us",
        "requests/s",
        "p50 added, ms, c = 1",
        "p99 added, ms, c = 16",
    ]
    rows = [
        [
            name,
            _each(one, "cpu_us_"),
            _each(one, "engine_cpu_us_"),
            _each(one, "requests_per_s_"),
            f"{one.median('p50_ms_1') - direct.median('p50_ms_1'):.2f}",
            f"{one.median('p99_ms_16') - direct.median('p99_ms_16'):.1f}",
        ]
        for name, one in results.items()
    ]
    return table(columns, rows)


def streamed(results: Mapping[str, Measured]) -> str:
    direct = results["direct"]
    columns = [
        "streamed",
        "first token added, ms",
        "burst events/s, c = 1 / 8",
        "CPU us an event, burst, c = 1 / 8",
        "CPU us an event, paced",
        "paced events/s",
    ]
    rows = [
        [
            name,
            f"{one.median('first_event_ms') - direct.median('first_event_ms'):.2f}",
            f"{one.median('burst_events_per_s_1'):.0f} / {one.median('burst_events_per_s_8'):.0f}",
            f"{one.median('burst_event_us_1'):.1f} / {one.median('burst_event_us_8'):.1f}",
            f"{one.median('paced_event_us'):.0f}",
            f"{one.median('paced_events_per_s'):.0f}",
        ]
        for name, one in results.items()
    ]
    return table(columns, rows)


def starts(subjects: Sequence[tuple[Subject, Measured, float]]) -> str:
    """Each subject with its numbers and its memory when idle."""
    rows = [
        [
            subject.name,
            f"{subject.ready_s:.2f}",
            f"{subject.ready_cpu_s:.2f}",
            f"{idle_mb:.0f} to {measured.median('memory_mb'):.0f}",
        ]
        for subject, measured, idle_mb in subjects
    ]
    return table(["start", "ready after, s", "CPU, s", "memory idle to loaded, MB"], rows)


def database(counted: Mapping[str, Counted]) -> str:
    """Calls and units a request, by kind of request."""
    rows = [
        [
            kind,
            f"{sum(one.calls.values()):.2f}",
            f"{one.write_units:.2f}",
            f"{one.read_units:.2f}",
            ", ".join(f"{name} {count:.2f}" for name, count in sorted(one.calls.items())),
        ]
        for kind, one in counted.items()
    ]
    return table(
        ["DynamoDB, one budget", "calls", "write units", "read units", "calls a request"], rows
    )


def _each(one: Measured, name: str) -> str:
    return " / ".join(f"{one.median(f'{name}{c}'):.0f}" for c in CONCURRENCIES)
