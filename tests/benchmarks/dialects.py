"""CPU a streamed event by dialect: bytes that pass, and events that are translated.

The events come paced, each in a read of its own, as a model makes them. Streams are long, so that
what a request costs once hardly counts. The floor passes on the same provider's events unread, at
the same time: a machine that others use changes from one second to the next, for both alike.

    python -m tests.benchmarks.dialects [--rounds 3] [--only "chat to messages"]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.fast_upstream import LONG_EVENTS
from tests.benchmarks.gateway import engine, gateway
from tests.benchmarks.load import prepared, put_load
from tests.benchmarks.processes import free_port, python_module, running
from tests.benchmarks.report import table
from tests.benchmarks.scenarios import CHAT_BODY, PACED_STREAMS, PROMPT, Contender, Measured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MODEL = "bench-paced-long"
_RESPONSES_BODY: Mapping[str, Any] = {"input": PROMPT, "max_output_tokens": 16}
_PATHS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "chat": ("/v1/chat/completions", CHAT_BODY),
    "messages": ("/v1/messages", CHAT_BODY),
    "responses": ("/v1/responses", _RESPONSES_BODY),
}


@dataclass(frozen=True, slots=True)
class Way:
    """From a caller's dialect to a provider's.

    Attributes:
        asked: the dialect of the request.
        served: that of the provider.
        provider: who serves it.
        times_aim: how many times the floor's cost it may cost.
    """

    asked: str
    served: str
    provider: str
    times_aim: float

    @property
    def name(self) -> str:
        return f"{self.asked} to {self.served}"


RAW_AIM, TRANSLATED_AIM = 1.5, 3.0
WAYS = (
    Way("chat", "chat", "openai", RAW_AIM),
    Way("messages", "messages", "anthropic", RAW_AIM),
    Way("responses", "responses", "openai", RAW_AIM),
    Way("chat", "messages", "anthropic", TRANSLATED_AIM),
    Way("messages", "chat", "openai", TRANSLATED_AIM),
    Way("responses", "chat", "cerebras", TRANSLATED_AIM),
)


def stream_events(
    floor: Contender, subject: Contender, *, rounds: int, ways: Sequence[Way] = WAYS
) -> dict[Way, Measured]:
    """Microseconds of CPU an event, "floor" and "gateway", which are streamed through at once."""
    results = {way: Measured() for way in ways}
    for _ in range(rounds):
        for way, measured in results.items():
            through_floor = _request(floor, way.served, MODEL)
            through_subject = _request(subject, way.asked, f"{way.provider}:{MODEL}")
            before_s = floor.subject.cpu_s(), subject.subject.cpu_s()
            asyncio.run(_at_once((floor, through_floor), (subject, through_subject)))
            after_s = floor.subject.cpu_s(), subject.subject.cpu_s()
            events = PACED_STREAMS * LONG_EVENTS
            measured.add("floor", (after_s[0] - before_s[0]) / events * 1e6)
            measured.add("gateway", (after_s[1] - before_s[1]) / events * 1e6)
    return results


def _request(contender: Contender, dialect: str, model: str) -> bytes:
    path, body = _PATHS[dialect]
    return prepared(path, contender.headers, {"model": model, **body, "stream": True})


async def _at_once(*asked: tuple[Contender, bytes]) -> None:
    loads = (
        put_load(contender.subject.port, request, concurrency=PACED_STREAMS, requests=PACED_STREAMS)
        for contender, request in asked
    )
    await asyncio.gather(*loads)


def report_events(results: Mapping[Way, Measured]) -> str:
    """Each way with its ratio, round by round, because the machine's noise is in both."""
    rows = [_row(way, measured) for way, measured in results.items()]
    columns = [
        "streamed, paced",
        "floor, CPU us an event",
        "gateway",
        "times the floor",
        "the rounds'",
        "aim",
    ]
    return table(columns, rows)


def _row(way: Way, measured: Measured) -> Sequence[str]:
    floors, ours = measured.rounds["floor"], measured.rounds["gateway"]
    ratios = sorted(mine / its for mine, its in zip(ours, floors, strict=True))
    return [
        way.name,
        f"{measured.median('floor'):.1f}",
        f"{measured.median('gateway'):.1f}",
        f"{ratios[len(ratios) // 2]:.2f}",
        f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
        f"{way.times_aim:.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=[way.name for way in WAYS])
    options = parser.parse_args()
    ways = [way for way in WAYS if way.name in (options.only or [way.name])]
    with tempfile.TemporaryDirectory(prefix="bursar-bench-") as name, contextlib.ExitStack() as up:
        folder, upstream_port, floor_port = Path(name), free_port(), free_port()
        upstream = python_module("tests.benchmarks.fast_upstream", "--port", str(upstream_port))
        up.enter_context(running("direct", upstream, upstream_port))
        url = f"http://127.0.0.1:{upstream_port}/v1"
        command = python_module("tests.fakes.floor", "--port", str(floor_port), "--upstream", url)
        floor = up.enter_context(running("floor", command, floor_port))
        database = up.enter_context(engine(folder))
        started = up.enter_context(
            gateway(folder, upstream_port=upstream_port, engine_port=database.port)
        )
        subject = Contender(started.subject, headers=started.headers)
        results = stream_events(Contender(floor), subject, rounds=options.rounds, ways=ways)
        print(report_events(results))


if __name__ == "__main__":
    main()
