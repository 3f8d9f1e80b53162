"""Which target goes first while a budget has much, and which when it has little."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.accounts import user_account
from bursar.domain.aliases import Alias, AliasTarget, TierDown
from bursar.domain.errors import BudgetExceeded
from bursar.domain.models import parse_model
from bursar.services.breaker import FAILURES_MAX
from tests.fakes.scripted_upstream import ScriptedAnswer, completion
from tests.fakes.several_upstreams import SeveralUpstreams, failing
from tests.fakes.world import World

if TYPE_CHECKING:
    from bursar.domain.upstream import UpstreamRequest

GOOD, CHEAP = "openai:good", "groq:cheap"
LOW = TierDown(Decimal("0.25"), CHEAP)


async def a_world(budget_usd: str | None = "1", **fields: Any) -> tuple[World, str]:
    """Ten dollars a million tokens, or a tenth of that with less than a quarter of a dollar left.

    A request uses 10 000 tokens, so it costs ten cents or one.
    """
    world = World(providers=("groq",))
    key = await world.someone(budget_usd)
    await world.price(GOOD, "10", "10")
    await world.price(CHEAP, "1", "1")
    row = Alias("smart", (AliasTarget(GOOD),), world.now, world.now, tier_down=LOW)
    await world.storage.directory.aliases.put(replace(row, **fields))
    return world, key


async def spend(world: World, usd: str) -> None:
    user = await world.storage.directory.users.get("alice")
    assert user is not None
    budget = await world.storage.directory.budgets.get("b1")
    assert await world.ledger.open(user_account(user, budget, world.now), Decimal(usd))


async def served(world: World, key: str, **body: Any) -> str:
    answer = await world.chat(key, model="smart", **body)
    return answer.headers["x-bursar-route"]


@pytest.mark.parametrize(
    ("spent", "route"),
    [
        ("0", "primary"),
        ("0.7", "primary"),
        ("0.75", "primary"),
        ("0.750000000001", "tier-down;because=budget_low"),
        ("0.9", "tier-down;because=budget_low"),
        ("0.999", "tier-down;because=budget_low"),
    ],
)
async def test_below_its_share_the_cheaper_model_goes_first(spent: str, route: str) -> None:
    world, key = await a_world()
    await spend(world, spent)
    upstreams = SeveralUpstreams(world)

    assert await served(world, key) == route

    model = CHEAP if route.startswith("tier") else GOOD
    assert upstreams.body()["model"] == model.partition(":")[2]
    record = await world.record()
    assert (record.alias, record.route) == ("smart", route)


async def test_what_others_hold_at_the_time_counts_as_spent() -> None:
    world, key = await a_world()
    routes, all_are_there = [], asyncio.Event()

    async def send(request: UpstreamRequest) -> ScriptedAnswer:
        routes.append(request.provider)
        if len(routes) == 6:
            all_are_there.set()
        await all_are_there.wait()
        return completion()

    world.upstream.send = send  # type: ignore[method-assign]
    # Each holds 0.2 dollars for 20 000 tokens of output, or 0.02.
    await asyncio.gather(*(served(world, key, max_tokens=20_000) for _ in range(6)))
    assert routes == ["openai"] * 4 + ["groq"] * 2


async def test_a_request_may_itself_reach_into_the_share() -> None:
    world, key = await a_world()
    await spend(world, "0.74")
    SeveralUpstreams(world)
    assert await served(world, key, max_tokens=20_000) == "primary"


async def test_a_request_that_alone_exceeds_the_budget_is_lowered_while_there_is_much() -> None:
    world, key = await a_world()
    await spend(world, "0.5")
    SeveralUpstreams(world)
    answer = await world.chat(key, model="smart", max_tokens=1_000_000)
    assert answer.headers["x-bursar-route"] == "primary"
    assert 40_000 < int(answer.headers["x-bursar-output-limit"]) < 50_000


async def test_and_goes_to_the_cheaper_model_when_there_is_little() -> None:
    world, key = await a_world()
    await spend(world, "0.8")
    SeveralUpstreams(world)
    answer = await world.chat(key, model="smart", max_tokens=1_000_000)
    assert answer.headers["x-bursar-route"] == "tier-down;because=budget_low"
    assert 190_000 < int(answer.headers["x-bursar-output-limit"]) < 200_000


@pytest.mark.parametrize("budget", [None, "0"])
async def test_without_a_limit_nothing_runs_low(budget: str | None) -> None:
    world, key = await a_world(budget)
    SeveralUpstreams(world)
    if budget is None:
        assert await served(world, key) == "primary"
    else:
        with pytest.raises(BudgetExceeded):
            await served(world, key)


async def test_of_several_budgets_the_lowest_decides() -> None:
    world, _ = await a_world("100")
    await world.budget("1", "key-budget")
    key = await world.key(budget_id="key-budget", budget_started_at=world.now)
    SeveralUpstreams(world, openai=[completion(80_000, 0)])
    assert await served(world, key, max_tokens=90_000) == "primary"
    assert await served(world, key) == "tier-down;because=budget_low"


async def test_if_the_cheaper_model_fails_the_others_are_asked() -> None:
    world, key = await a_world()
    await spend(world, "0.8")
    upstreams = SeveralUpstreams(world, groq=[failing(404)])
    assert await served(world, key) == f"fallback;after={CHEAP};because=upstream_4xx"
    assert upstreams.asked == ["groq", "openai"]


async def test_a_cheaper_model_that_has_been_failing_is_asked_last_and_once() -> None:
    world, key = await a_world(targets=(AliasTarget(CHEAP), AliasTarget(GOOD)))
    await spend(world, "0.8")
    for _ in range(FAILURES_MAX):
        world.breaker.failed((None, parse_model(CHEAP)), "upstream_5xx")
    upstreams = SeveralUpstreams(world, openai=[failing(404)], groq=[failing(404)] * 2)
    await served(world, key)
    assert upstreams.asked == ["openai", "groq"]


async def test_while_there_is_much_the_cheaper_model_is_the_last_resort() -> None:
    world, key = await a_world()
    SeveralUpstreams(world, openai=[failing(404)])
    assert await served(world, key) == f"fallback;after={GOOD};because=upstream_4xx"


async def test_whoever_may_not_use_the_cheaper_model_goes_on_with_the_others() -> None:
    world, key = await a_world()
    await spend(world, "0.8")
    user = await world.storage.directory.users.get("alice")
    assert user is not None
    allowed = replace(user, allowed_models=("openai:*",))
    await world.storage.directory.users.put(allowed)
    SeveralUpstreams(world)
    assert await served(world, key) == "primary"


async def test_a_cheaper_model_without_a_price_is_passed_by() -> None:
    world, key = await a_world(tier_down=TierDown(Decimal("0.25"), "groq:unpriced"))
    await spend(world, "0.8")
    SeveralUpstreams(world)
    assert await served(world, key) == "fallback;after=groq:unpriced;because=model_unpriced"


async def test_a_free_model_spends_nothing_of_what_is_low() -> None:
    world, key = await a_world()
    await world.price(GOOD, "0", "0")
    await spend(world, "1")
    SeveralUpstreams(world)
    assert await served(world, key) == "primary"
