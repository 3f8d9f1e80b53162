"""`make bench`: what the gateway costs beyond a bare pass-through proxy, in one run.

python -m tests.benchmarks [--rounds 3] [--floor-only]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
from pathlib import Path

from tests.benchmarks import report
from tests.benchmarks.counting_engine import CountingEngine
from tests.benchmarks.dialects import report_events, stream_events
from tests.benchmarks.gateway import Gateway, NoGateway, engine, gateway
from tests.benchmarks.load import put_load
from tests.benchmarks.processes import Subject, free_port, python_module, running
from tests.benchmarks.scenarios import Contender, Measured, one_round

COUNTED_REQUESTS = 320
COUNTED = (
    ("not streamed, c = 1", 1, False),
    ("not streamed, c = 64", 64, False),
    ("streamed, c = 1", 1, True),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--floor-only", action="store_true")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="bursar-bench-") as folder,
        contextlib.ExitStack() as up,
    ):
        try:
            _bench(Path(folder), up, rounds=options.rounds, floor_only=options.floor_only)
        except NoGateway as error:
            raise SystemExit(f"{error}; --floor-only measures what can be measured") from None


def _bench(folder: Path, up: contextlib.ExitStack, *, rounds: int, floor_only: bool) -> None:
    upstream = up.enter_context(_server("tests.benchmarks.fast_upstream", "direct"))
    upstream_url = f"http://127.0.0.1:{upstream.port}/v1"
    floor = up.enter_context(_server("tests.fakes.floor", "floor", "--upstream", upstream_url))
    contenders = {"direct": Contender(upstream, requests=6000), "floor": Contender(floor)}
    if not floor_only:
        contenders["gateway"] = _gateway(folder, up, upstream.port)
    idle_mb = {name: one.subject.memory_mb() for name, one in contenders.items()}
    results = {name: Measured() for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            one_round(contender, results[name])
    if not floor_only:
        print(report.ratios(results))
    print(report.not_streamed(results))
    print(report.streamed(results))
    print(
        report.starts(
            [(one.subject, results[name], idle_mb[name]) for name, one in contenders.items()]
        )
    )
    if not floor_only:
        floor_and_gateway = contenders["floor"], contenders["gateway"]
        print(report_events(stream_events(*floor_and_gateway, rounds=rounds)))
        _count_calls(folder, upstream.port)


def _server(module: str, name: str, *arguments: str) -> contextlib.AbstractContextManager[Subject]:
    port = free_port()
    return running(name, python_module(module, "--port", str(port), *arguments), port)


def _gateway(folder: Path, up: contextlib.ExitStack, upstream_port: int) -> Contender:
    database = up.enter_context(engine(folder))
    started = up.enter_context(
        gateway(folder, upstream_port=upstream_port, engine_port=database.port)
    )
    return _contender(started, database)


def _contender(started: Gateway, database: Subject | None = None) -> Contender:
    return Contender(
        started.subject,
        model_prefix="openai:",
        headers=started.headers,
        requests=800,
        engine=database,
    )


def _count_calls(folder: Path, upstream_port: int) -> None:
    """A second gateway on a second engine, with the counter between them."""
    second = folder / "counted"
    second.mkdir()
    counts = {}
    with (
        engine(second) as database,
        CountingEngine(database.port) as counter,
        gateway(second, upstream_port=upstream_port, engine_port=counter.port) as started,
    ):
        contender = _contender(started)
        for kind, concurrency, stream in COUNTED:
            request = contender.request("bench", stream=stream)
            _send(started, request, concurrency, 20)  # caches know the key, the user and the price
            counter.reset()
            requests = _send(started, request, concurrency, COUNTED_REQUESTS)
            counts[kind] = counter.counted(requests)
    print(report.database(counts))


def _send(started: Gateway, request: bytes, concurrency: int, requests: int) -> int:
    load = asyncio.run(
        put_load(started.subject.port, request, concurrency=concurrency, requests=requests)
    )
    return len(load.samples)


if __name__ == "__main__":
    main()
