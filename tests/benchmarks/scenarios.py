"""What is measured of each subject, in rounds that take turns because the machine is shared."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.load import Load, prepared, put_load
from tests.benchmarks.processes import Subject

CONCURRENCIES = (1, 16, 64)
PACED_STREAMS = 8
BURST_STREAMS = {1: 60, 8: 160}
PROMPT = "Say hello. " * 20
CHAT_BODY: Mapping[str, Any] = {
    "messages": [{"role": "user", "content": PROMPT}],
    "max_tokens": 16,
}


@dataclass(frozen=True, slots=True)
class Contender:
    """A subject and how to speak to it.

    Attributes:
        requests: of a run that is not streamed; more where a request costs less.
        engine: the process of its database, measured apart.
    """

    subject: Subject
    model_prefix: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    requests: int = 2000
    engine: Subject | None = None

    def request(self, model: str, **fields: Any) -> bytes:
        body = {"model": self.model_prefix + model, **CHAT_BODY, **fields}
        return prepared("/v1/chat/completions", self.headers, body)


@dataclass(slots=True)
class Measured:
    """Numbers by name, one a round."""

    rounds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.rounds.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        return statistics.median(self.rounds[name])


def one_round(contender: Contender, measured: Measured) -> None:
    """Every scenario once."""
    _run(contender, contender.request("bench"), 1, 100)  # warm
    for concurrency in CONCURRENCIES:
        plain(contender, measured, concurrency)
    burst(contender, measured)
    paced(contender, measured)
    measured.add("memory_mb", contender.subject.memory_mb())


def plain(contender: Contender, measured: Measured, concurrency: int) -> None:
    request = contender.request("bench")
    cpu_s, engine_cpu_s, load = with_cpu(contender, request, concurrency, contender.requests)
    done = len(load.samples)
    measured.add(f"cpu_us_{concurrency}", cpu_s / done * 1e6)
    measured.add(f"engine_cpu_us_{concurrency}", engine_cpu_s / done * 1e6)
    measured.add(f"requests_per_s_{concurrency}", load.requests_per_s)
    measured.add(f"p50_ms_{concurrency}", load.latency_ms(0.5))
    measured.add(f"p99_ms_{concurrency}", load.latency_ms(0.99))


def burst(contender: Contender, measured: Measured) -> None:
    request = contender.request("bench", stream=True)
    for concurrency, streams in BURST_STREAMS.items():
        cpu_s, _, load = with_cpu(contender, request, concurrency, streams)
        measured.add(f"burst_event_us_{concurrency}", cpu_s / load.events * 1e6)
        measured.add(f"burst_events_per_s_{concurrency}", load.events / load.wall_s)
        if concurrency == 1:
            measured.add("first_event_ms", load.first_event_ms)


def paced(contender: Contender, measured: Measured) -> None:
    request = contender.request("bench-paced", stream=True)
    cpu_s, _, load = with_cpu(contender, request, PACED_STREAMS, PACED_STREAMS)
    measured.add("paced_event_us", cpu_s / load.events * 1e6)
    measured.add("paced_events_per_s", load.events / load.wall_s)
    measured.add("paced_first_event_ms", load.first_event_ms)


def with_cpu(
    contender: Contender, request: bytes, concurrency: int, requests: int
) -> tuple[float, float, Load]:
    """The CPU seconds of the subject and of its engine, and what the load saw."""
    before = contender.subject.cpu_s()
    engine_before = contender.engine.cpu_s() if contender.engine else 0.0
    load = _run(contender, request, concurrency, requests)
    engine_s = contender.engine.cpu_s() - engine_before if contender.engine else 0.0
    return contender.subject.cpu_s() - before, engine_s, load


def _run(contender: Contender, request: bytes, concurrency: int, requests: int) -> Load:
    return asyncio.run(
        put_load(contender.subject.port, request, concurrency=concurrency, requests=requests)
    )
