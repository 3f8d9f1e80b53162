"""What pricing costs a request, and what the whole of one costs over stores in memory.

python -m tests.benchmarks.bench_pricing

CPU microseconds a request, medians of rounds, and calls of functions, which no other load changes.
Two versions are compared by running each in turn, with its own `shared` and `tests`.
"""

from __future__ import annotations

import asyncio
import cProfile
import pstats
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from bursar.domain.models import parse_model
from bursar.domain.pricing import Bound, Price, charge_of, told_apart
from bursar.domain.unreported import counted
from bursar.domain.usage import TokenUsage
from bursar.prices.catalogue import CompiledCatalogue
from bursar.services.charged_rates import charged_rates
from bursar.services.policy import Policy
from bursar.services.quoting import Quote
from tests.fakes.scripted_upstream import JSON, ScriptedAnswer
from tests.fakes.world import MODEL, World

if TYPE_CHECKING:
    from collections.abc import Callable

REQUESTS = 400
ROUNDS = 7
MODELS = ("openai:gpt-5", "anthropic:claude-sonnet-4-5", "gemini:gemini-2.5-pro")
USAGE = TokenUsage(500, 200, cached_input_tokens=128, reasoning_tokens=64)
ANSWER = msgspec.json.encode(
    {
        "choices": [{"message": {"role": "assistant", "content": "four"}}],
        "usage": {
            "prompt_tokens": 500,
            "completion_tokens": 200,
            "prompt_tokens_details": {"cached_tokens": 128},
            "completion_tokens_details": {"reasoning_tokens": 64},
        },
    }
)


def priced(price: Price, service_tier: str | None = None) -> None:
    """All that a request asks of its price, from the quote to the books."""
    quote = Quote(Bound(2_000, 1_000, service_tier=service_tier), price, 16)
    assert quote.amount_usd
    assert not quote.is_free
    usage = counted(USAGE, None, price)
    assert usage is not None
    charge = charge_of(told_apart(usage, quote.bound, price), price, service_tier)
    charged_rates(price, charge)


def cpu_us(work: Callable[[], None]) -> float:
    """CPU of one piece of work, the median of rounds."""
    rounds = []
    for _ in range(ROUNDS):
        begun_s = time.process_time()
        for _ in range(REQUESTS):
            work()
        rounds.append((time.process_time() - begun_s) / REQUESTS * 1e6)
    return median(rounds)


def calls(work: Callable[[], None]) -> float:
    """Calls of functions by one piece of work."""
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(REQUESTS):
        work()
    profile.disable()
    stats: dict[object, tuple[int, int]] = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # typeshed lacks it
    return sum(each[1] for each in stats.values()) / REQUESTS


async def opened(world: World) -> str:
    """A world with a price, and a key of it."""
    await world.storage.directory.prices.put(replace(price_of(MODELS[0]), model_key=MODEL))
    return await world.someone("1000000")


async def request(world: World, key: str) -> None:
    """A request from the key to the books, over stores in memory."""
    world.upstream.answer = ScriptedAnswer(headers=JSON, script=[ANSWER])
    await world.chat(key)


def price_of(model: str) -> Price:
    price = CompiledCatalogue().price(parse_model(model), datetime.now(UTC))
    assert price is not None
    return price


def main() -> None:
    rows: list[tuple[str, Callable[[], None]]] = [
        (model, partial(priced, price_of(model))) for model in MODELS
    ]
    any_tier = partial(priced, price_of(MODELS[0]), "auto")
    rows.append((f"{MODELS[0]}, any service tier", any_tier))
    with asyncio.Runner() as runner:
        world = World(Policy(directory_age_s=3_600.0))
        key = runner.run(opened(world))
        rows.append(("a whole request", lambda: runner.run(request(world, key))))
        print("| what | CPU us | calls |\n| --- | --- | --- |")
        for what, work in rows:
            work()
            print(f"| {what} | {cpu_us(work):.0f} | {calls(work):.0f} |")


if __name__ == "__main__":
    main()
