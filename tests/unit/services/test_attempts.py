"""Which failures lead to another attempt, at which target, and what that does to the money."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.aliases import Alias, AliasTarget, Strategy
from bursar.domain.errors import (
    BudgetExceeded,
    BursarError,
    StoreUnavailable,
    Unpriceable,
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bursar.domain.events import Closed
from bursar.domain.money import QUANTUM_USD, ZERO
from bursar.domain.usage import Status
from bursar.memory import MemoryLedger
from bursar.services.answers import WholeAnswer
from bursar.services.breaker import COOL_DOWN_S, FAILURES_MAX
from bursar.services.policy import Policy
from bursar.services.presence import CallerGone
from tests.fakes.scripted_upstream import (
    DONE,
    ScriptedAnswer,
    completion,
    delta,
    stream,
    usage_chunk,
)
from tests.fakes.several_upstreams import SeveralUpstreams, Step, failing
from tests.fakes.world import World, drained, whole

if TYPE_CHECKING:
    from bursar.domain.budgets import AccountKey
    from bursar.domain.holds import Hold, Shortfall
    from bursar.domain.upstream import UpstreamRequest

A, B, C = "openai:a", "groq:b", "mistral:c"
REFUSED_ANYWHERE = [401, 402, 403, 404, 410]
PASSING = [408, 409, 500, 502, 503, 529]


async def a_world(
    budget_usd: str | None = "10",
    *,
    models: tuple[str, ...] = (A, B, C),
    policy: Policy | None = None,
    **fields: Any,
) -> tuple[World, str]:
    """Three models at 1, 2 and 4 dollars a million tokens, and the alias `fast` for them."""
    world = World(policy, providers=("groq", "mistral"))
    key = await world.someone(budget_usd)
    for model, usd in ((A, "1"), (B, "2"), (C, "4")):
        await world.price(model, usd, usd)
    targets = tuple(AliasTarget(model) for model in models)
    row = replace(Alias("fast", targets, world.now, world.now), **fields)
    await world.storage.directory.aliases.put(row)
    return world, key


async def nothing_is_held(world: World) -> None:
    for balance in await world.all_balances():
        assert balance.holds == {}
        assert balance.committed_usd == balance.spent_usd


async def test_a_direct_request_is_sent_again_to_the_same_model_once() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[failing(503)])

    answer = await world.chat(key, model=A)

    assert upstreams.asked == ["openai", "openai"]
    assert upstreams.requests[0].body == upstreams.requests[1].body
    assert answer.headers["x-bursar-route"] == "retry;because=upstream_5xx"
    assert answer.headers["x-bursar-attempts"] == "2"
    record = await world.record()
    assert (record.status, record.attempts) == (Status.SUCCESS, 2)
    assert record.route == "retry;because=upstream_5xx"
    assert len(world.waits) == 1
    await nothing_is_held(world)


@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_a_model_is_retried_as_often_as_the_administrator_says(retries: int) -> None:
    world, key = await a_world(policy=Policy(directory_age_s=0.0, retries=retries))
    upstreams = SeveralUpstreams(world, openai=[failing(500)] * 9)

    with pytest.raises(UpstreamError, match="failed with status 500"):
        await world.chat(key, model=A)

    assert len(upstreams.asked) == retries + 1
    record = await world.record()
    assert (record.status, record.cost_usd) == (Status.ERROR, ZERO)
    await nothing_is_held(world)


@pytest.mark.parametrize("status", PASSING)
async def test_what_passes_is_tried_again_and_then_elsewhere(status: int) -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[failing(status)] * 2)

    answer = await world.chat(key, model="fast")

    assert upstreams.asked == ["openai", "openai", "groq"]
    word = f"upstream_{status // 100}xx"
    assert answer.headers["x-bursar-model"] == B
    assert answer.headers["x-bursar-route"] == f"fallback;after={A};because={word}"
    assert answer.headers["x-bursar-attempts"] == "3"
    record = await world.record()
    assert (record.provider, record.model, record.alias) == ("groq", "b", "fast")
    # The provider's own price, not the first one's.
    assert record.cost_usd == Decimal("0.00003")


async def test_every_target_has_retries_of_its_own() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[failing(500)] * 2, groq=[failing(503)])
    answer = await world.chat(key, model="fast")
    assert upstreams.asked == ["openai", "openai", "groq", "groq"]
    assert answer.headers["x-bursar-attempts"] == "4"


async def test_a_provider_out_of_reach_is_tried_again_and_then_another() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[UpstreamUnreachable("away")] * 2)
    answer = await world.chat(key, model="fast")
    assert upstreams.asked == ["openai", "openai", "groq"]
    assert "because=upstream_unreachable" in answer.headers["x-bursar-route"]


@pytest.mark.parametrize("status", [*REFUSED_ANYWHERE, 302, 501, 504])
async def test_a_target_that_does_not_serve_this_gateway_is_left_at_once(status: int) -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[failing(status)])
    await world.chat(key, model="fast")
    assert upstreams.asked == ["openai", "groq"]
    assert world.waits == []


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_the_callers_own_fault_is_told_at_once(status: int) -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[failing(status)])
    answer = await world.chat(key, model="fast")
    assert isinstance(answer, WholeAnswer)
    assert (answer.status, upstreams.asked) == (status, ["openai"])
    await nothing_is_held(world)


async def test_a_rate_limit_leads_straight_to_the_next_target() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[failing(429, {"retry-after": "1"})])
    answer = await world.chat(key, model="fast")
    assert upstreams.asked == ["openai", "groq"]
    assert world.waits == []
    assert answer.headers["x-bursar-route"] == f"fallback;after={A};because=upstream_429"


async def test_a_rate_limit_without_another_target_is_waited_for_as_it_says() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[failing(429, {"retry-after": "2"})])
    answer = await world.chat(key, model=A)
    assert upstreams.asked == ["openai", "openai"]
    assert world.waits == [2.0]
    assert answer.headers["x-bursar-route"] == "retry;because=upstream_429"


async def test_a_rate_limit_that_lasts_reaches_the_caller_with_its_retry_after() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[failing(429, {"retry-after": "60"})])
    answer = await world.chat(key, model=A)
    assert isinstance(answer, WholeAnswer)
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    assert upstreams.asked == ["openai"]
    assert world.waits == []


async def test_a_provider_that_asks_not_to_be_retried_is_not() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[failing(500, {"x-should-retry": "false"})])
    await world.chat(key, model="fast")
    assert upstreams.asked == ["openai", "groq"]


async def test_the_last_failure_is_the_one_that_is_told() -> None:
    world, key = await a_world(retries=0)
    SeveralUpstreams(
        world,
        openai=[failing(500)],
        groq=[UpstreamUnreachable("away")],
        mistral=[failing(429, {"retry-after": "7"})],
    )

    answer = await world.chat(key, model="fast")

    assert isinstance(answer, WholeAnswer)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["x-bursar-attempts"] == "3"
    record = await world.record()
    assert (record.provider, record.cost_usd, record.attempts) == ("mistral", ZERO, 3)
    (event,) = world.observed
    assert isinstance(event, Closed)
    assert event.failed_attempts == (
        f"{A} upstream_5xx",
        f"{B} upstream_unreachable",
        f"{C} upstream_429",
    )
    await nothing_is_held(world)


@pytest.mark.parametrize("error", [UpstreamTimeout("slow"), UpstreamBroken("reset")])
async def test_what_may_have_been_billed_is_charged_and_not_tried_again(
    error: UpstreamError,
) -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[error])

    with pytest.raises(type(error)):
        await world.chat(key, model="fast")

    assert upstreams.asked == ["openai"]
    record = await world.record()
    assert record.is_estimated
    assert record.cost_usd is not None
    assert record.cost_usd > 0
    await nothing_is_held(world)


async def test_an_answer_that_stops_half_way_is_not_tried_again() -> None:
    world, key = await a_world()
    half = ScriptedAnswer(script=[b'{"id": "c', UpstreamBroken("reset")])
    upstreams = SeveralUpstreams(world, openai=[half])
    with pytest.raises(UpstreamBroken):
        await world.chat(key, model="fast")
    assert upstreams.asked == ["openai"]


async def test_a_stream_that_breaks_before_its_first_piece_is_not_tried_again() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[stream(UpstreamBroken("reset"))])
    with pytest.raises(UpstreamBroken):
        await world.chat(key, model="fast", stream=True)
    assert upstreams.asked == ["openai"]


async def test_a_stream_that_has_begun_is_not_tried_again() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[stream(delta("abc"), UpstreamBroken("reset"))])
    written = await drained(await world.chat(key, model="fast", stream=True))
    assert b"abc" in written
    assert b"error" in written
    assert upstreams.asked == ["openai"]


async def test_a_stream_falls_back_before_its_first_byte() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(
        world, openai=[failing(404)], groq=[stream(delta("abc"), usage_chunk(10, 5), DONE)]
    )
    answer = await world.chat(key, model="fast", stream=True)
    assert answer.headers["x-bursar-route"] == f"fallback;after={A};because=upstream_4xx"
    assert b"abc" in await drained(answer)
    assert upstreams.asked == ["openai", "groq"]
    assert (await world.record()).cost_usd == Decimal("0.00003")


async def test_before_a_target_is_asked_the_accounts_hold_what_it_may_cost() -> None:
    world, key = await a_world(retries=0)
    seen: list[tuple[str, Decimal]] = []

    async def send(request: UpstreamRequest) -> ScriptedAnswer:
        (balance,) = [each for each in await world.all_balances() if each.holds]
        (hold,) = balance.holds.values()
        assert balance.committed_usd == hold.amount_usd
        seen.append((request.provider, hold.amount_usd))
        return completion() if request.provider == "mistral" else failing(500)

    world.upstream.send = send  # type: ignore[method-assign]
    await world.chat(key, model="fast")

    first = seen[0][1]
    assert seen == [("openai", first), ("groq", 2 * first), ("mistral", 4 * first)]
    await nothing_is_held(world)


async def test_a_target_that_the_budget_has_no_room_for_is_passed_by() -> None:
    world, key = await a_world("0.0002", models=(C, B, A))
    upstreams = SeveralUpstreams(world)

    answer = await world.chat(key, model="fast", max_tokens=100)

    # C would cost 0.0008 at most and B 0.0004, and neither is of use with a shorter answer.
    assert upstreams.asked == ["openai"]
    route = f"fallback;after={C};because=budget_exceeded;after={B};because=budget_exceeded"
    assert answer.headers["x-bursar-route"] == route


async def test_a_target_that_fits_with_a_shorter_answer_gets_one() -> None:
    world, key = await a_world("0.005", models=(A, C), retries=0)
    upstreams = SeveralUpstreams(world, openai=[failing(500)])

    answer = await world.chat(key, model="fast", max_tokens=2_000)

    assert upstreams.asked == ["openai", "mistral"]
    limit = int(answer.headers["x-bursar-output-limit"])
    assert upstreams.body(0)["max_tokens"] == 2_000
    assert upstreams.body(1)["max_tokens"] == limit
    assert 256 <= limit < 1_250


@pytest.mark.parametrize("models", [(A, C), (A, "groq:never-fits", C)])
async def test_of_a_crowd_that_fills_a_budget_with_cheaper_holds_some_are_served(
    models: tuple[str, ...],
) -> None:
    world, key = await a_world("0.0009", models=models, retries=0)
    await world.price("groq:never-fits", "100", "100")
    crowd = 4
    everyone = asyncio.Barrier(crowd)

    async def send(request: UpstreamRequest) -> ScriptedAnswer:
        if request.provider == "mistral":
            return completion(10, 5)
        async with everyone:
            return failing(503)

    world.upstream.send = send  # type: ignore[method-assign]
    requests = (world.chat(key, model="fast", max_tokens=100) for _ in range(crowd))
    answers = await asyncio.gather(*requests, return_exceptions=True)

    served = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert 0 < len(served) < crowd
    assert world.waits
    await nothing_is_held(world)


async def test_without_room_for_any_target_the_request_is_refused_and_nothing_held() -> None:
    world, key = await a_world("0.00001")
    upstreams = SeveralUpstreams(world)
    with pytest.raises(BudgetExceeded):
        await world.chat(key, model="fast")
    assert upstreams.asked == []
    await nothing_is_held(world)


async def test_without_room_for_another_target_the_first_ones_failure_is_told() -> None:
    world, key = await a_world("0.0002", models=(A, C), retries=0)
    upstreams = SeveralUpstreams(world, openai=[failing(500)])
    with pytest.raises(UpstreamError, match="failed with status 500"):
        await world.chat(key, model="fast")
    assert upstreams.asked == ["openai"]
    await nothing_is_held(world)


async def test_a_rate_limited_target_is_tried_again_if_no_other_can_be() -> None:
    world, key = await a_world("0.0002", models=(A, C))
    upstreams = SeveralUpstreams(world, openai=[failing(429)])
    answer = await world.chat(key, model="fast")
    assert upstreams.asked == ["openai", "openai"]
    assert whole(answer)["id"] == "c1"
    await nothing_is_held(world)


async def test_an_unpriced_target_and_one_of_an_unknown_provider_are_passed_by() -> None:
    world, key = await a_world(models=("openai:unpriced", "azure:x", B))
    upstreams = SeveralUpstreams(world)
    answer = await world.chat(key, model="fast")
    assert upstreams.asked == ["groq"]
    assert answer.headers["x-bursar-route"] == (
        "fallback;after=openai:unpriced;because=model_unpriced"
        ";after=azure:x;because=model_not_found"
    )


async def test_if_no_target_can_serve_the_first_ones_reason_is_told() -> None:
    world, key = await a_world(models=("openai:unpriced", "azure:x"))
    with pytest.raises(Unpriceable, match="'openai:unpriced' has no price"):
        await world.chat(key, model="fast")
    assert await world.all_balances() == []


async def test_a_failing_target_goes_last_until_it_has_rested() -> None:
    world, key = await a_world(retries=0)
    upstreams = SeveralUpstreams(world, openai=[failing(500)] * FAILURES_MAX)
    for _ in range(FAILURES_MAX):
        await world.chat(key, model="fast")
    upstreams.requests.clear()

    answer = await world.chat(key, model="fast")
    assert upstreams.asked == ["groq"]
    assert answer.headers["x-bursar-route"] == f"fallback;after={A};because=circuit_open"
    assert answer.headers["x-bursar-attempts"] == "1"

    world.pass_time(seconds=COOL_DOWN_S)
    answer = await world.chat(key, model="fast")
    assert upstreams.asked == ["groq", "openai"]
    assert answer.headers["x-bursar-route"] == "primary"


async def test_if_all_targets_have_been_failing_they_are_tried_all_the_same() -> None:
    world, key = await a_world(retries=0)
    bad: list[Step] = [failing(500)] * FAILURES_MAX
    upstreams = SeveralUpstreams(world, openai=bad, groq=bad, mistral=bad)
    for _ in range(FAILURES_MAX):
        with pytest.raises(UpstreamError):
            await world.chat(key, model="fast")
    upstreams.requests.clear()

    await world.chat(key, model="fast")

    assert upstreams.asked == ["openai"]


async def test_a_model_asked_for_by_name_is_asked_however_it_fails() -> None:
    world, key = await a_world(policy=Policy(directory_age_s=0.0, retries=0))
    upstreams = SeveralUpstreams(world, openai=[failing(500)] * FAILURES_MAX)
    for _ in range(FAILURES_MAX):
        with pytest.raises(UpstreamError):
            await world.chat(key, model=A)
    await world.chat(key, model=A)
    assert len(upstreams.asked) == FAILURES_MAX + 1


async def test_retries_end_with_the_requests_time() -> None:
    policy = Policy(directory_age_s=0.0, request_timeout_s=0.5)
    world, key = await a_world(policy=policy)
    upstreams = SeveralUpstreams(world, openai=[failing(500)])
    with pytest.raises(UpstreamError, match="status 500"):
        await world.chat(key, model="fast")
    assert upstreams.asked == ["openai"]


async def test_a_caller_who_leaves_between_two_attempts_pays_nothing() -> None:
    world, key = await a_world()
    gone = asyncio.Event()
    waiting = asyncio.Event()

    async def wait_for_ever(_: float) -> None:
        gone.set()
        await waiting.wait()

    world.completion.attempts._sleep = wait_for_ever
    upstreams = SeveralUpstreams(world, openai=[failing(500)])

    async def leave() -> None:
        await gone.wait()

    with pytest.raises(CallerGone):
        await world.chat(key, model=A, stream=True, gone=leave)

    assert upstreams.asked == ["openai"]
    record = await world.record()
    assert (record.status, record.cost_usd) == (Status.DISCONNECTED, ZERO)
    await nothing_is_held(world)


class Ledger(MemoryLedger):
    """Fails an adjustment, before or after it was carried out."""

    def __init__(self, *, carries_out: bool) -> None:
        super().__init__()
        self._carries_out = carries_out

    async def adjust(
        self, account: AccountKey, hold: Hold, amount_usd: Decimal, limit_usd: Decimal | None
    ) -> Shortfall | None:
        if self._carries_out:
            await super().adjust(account, hold, amount_usd, limit_usd)
        raise StoreUnavailable("no answer")


@pytest.mark.parametrize("carries_out", [False, True])
async def test_a_ledger_that_does_not_answer_leaves_nothing_held(
    carries_out: bool,  # noqa: FBT001 (a parameter of the test)
) -> None:
    world = World(providers=("groq", "mistral"), ledger=Ledger(carries_out=carries_out))
    key = await world.someone("10")
    await world.price(A)
    await world.price(B, "2", "2")
    targets = (AliasTarget(A), AliasTarget(B))
    await world.storage.directory.aliases.put(Alias("fast", targets, world.now, world.now))
    upstreams = SeveralUpstreams(world, openai=[failing(404)])

    with pytest.raises(StoreUnavailable):
        await world.chat(key, model="fast")

    assert upstreams.asked == ["openai"]
    assert [balance.committed_usd for balance in await world.all_balances()] == [0]
    await nothing_is_held(world)


async def test_of_several_accounts_each_is_settled_by_what_it_holds() -> None:
    world, _ = await a_world()
    await world.budget("0.0003", "user-budget")
    await world.budget("10", "key-budget")
    await world.user(budget_id="user-budget", budget_started_at=world.now)
    key = await world.key(budget_id="key-budget", budget_started_at=world.now)
    row = Alias("two", (AliasTarget(A), AliasTarget(C), AliasTarget(B)), world.now, world.now)
    await world.storage.directory.aliases.put(replace(row, retries=0))
    SeveralUpstreams(world, openai=[failing(500)], groq=[completion(10, 5)])

    await world.chat(key, model="two", max_tokens=20)

    # C fits the key's budget and not the user's, so the two differ until B is held in both.
    assert (await world.record()).model == "b"
    balances = await world.all_balances()
    assert [balance.committed_usd for balance in balances] == [Decimal("0.00003")] * 2
    await nothing_is_held(world)


async def test_a_target_that_is_asked_again_is_held_for_in_every_account() -> None:
    world, _ = await a_world()
    await world.budget("0.0003", "user-budget")
    await world.budget("10", "key-budget")
    await world.user(budget_id="user-budget", budget_started_at=world.now)
    key = await world.key(budget_id="key-budget", budget_started_at=world.now)
    targets = (AliasTarget(C), AliasTarget(A), AliasTarget(B))
    row = Alias("three", targets, world.now, world.now, Strategy.ORDERED)
    await world.storage.directory.aliases.put(row)
    held: list[list[Decimal]] = []

    async def send(request: UpstreamRequest) -> ScriptedAnswer:
        held.append([balance.held_usd for balance in await world.all_balances()])
        return failing(429) if len(held) == 1 else completion()

    world.upstream.send = send  # type: ignore[method-assign]
    answer = await world.chat(key, model="three", max_tokens=110)

    # A was rate limited, and B was held for in the key's account before the user's had no room.
    assert answer.headers["x-bursar-model"] == A
    assert answer.headers["x-bursar-attempts"] == "2"
    (first, same), (key_usd, user_usd) = held
    assert first == same
    # An amount is never held twice, so it is the next one that is.
    assert key_usd == user_usd == first + QUANTUM_USD
    await nothing_is_held(world)


async def test_many_at_once_through_falling_targets_never_overspend() -> None:
    world, key = await a_world("0.004", strategy=Strategy.WEIGHTED, retries=0)

    async def send(request: UpstreamRequest) -> ScriptedAnswer:
        await asyncio.sleep(0)
        if request.provider == "openai":
            return failing(503)
        return completion(150, 100)

    world.upstream.send = send  # type: ignore[method-assign]

    async def ask() -> bool:
        try:
            await world.chat(key, model="fast")
        except (BudgetExceeded, UpstreamError):
            return False
        return True

    served = sum(await asyncio.gather(*(ask() for _ in range(100))))

    assert 0 < served < 100
    (balance,) = await world.all_balances()
    assert balance.holds == {}
    assert balance.committed_usd <= Decimal("0.004")
    assert sum(record.cost_usd or 0 for record in await world.records()) == balance.spent_usd


async def test_an_error_of_the_gateways_own_between_attempts_leaves_nothing_held() -> None:
    world, key = await a_world()
    SeveralUpstreams(world, openai=[failing(500)])

    async def fail(_: float) -> None:
        raise RuntimeError("a bug")

    world.completion.attempts._sleep = fail
    with pytest.raises(RuntimeError):
        await world.chat(key, model=A)
    assert (await world.record()).cost_usd == 0
    await nothing_is_held(world)


async def test_every_request_is_told_once_whatever_its_attempts() -> None:
    world, key = await a_world()
    SeveralUpstreams(world, openai=[failing(500)] * 2, groq=[failing(429)], mistral=[failing(400)])
    await world.chat(key, model="fast")
    assert len(world.observed) == len(await world.records()) == 1
    with pytest.raises(BursarError):
        await world.chat(key, model="nothing")
    assert len(world.observed) == 2
