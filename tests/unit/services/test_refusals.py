"""Who is let in, what is refused before a provider is asked, and what the budget allows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bursar.domain.budgets import Scope
from bursar.domain.errors import (
    BudgetExceeded,
    BursarError,
    Forbidden,
    InvalidRequest,
    ModelNotFound,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unpriceable,
)
from bursar.domain.keys import new_virtual_key
from bursar.services.policy import Policy, UserField
from tests.fakes.scripted_upstream import completion
from tests.fakes.world import MASTER_KEY, MODEL, World


async def _refused(world: World, key: str, **body: Any) -> BursarError:
    world.upstream.answer = completion()
    with pytest.raises(BursarError) as refused:
        await world.chat(key, **body)
    assert world.upstream.requests == []
    return refused.value


async def test_an_unknown_key_is_refused() -> None:
    world = World()
    await world.someone()
    error = await _refused(world, new_virtual_key())
    assert isinstance(error, Unauthenticated)
    assert error.message == "Invalid API key"


async def test_a_key_of_another_format_is_refused_by_its_format() -> None:
    world = World()
    error = await _refused(world, "sk-123")
    assert error.message == "Invalid API key format: API key must start with 'gw-' prefix"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"is_active": False}, "API key is inactive"),
        ({"expires_at": World().now - timedelta(seconds=1)}, "API key has expired"),
    ],
)
async def test_a_key_out_of_use_is_refused(fields: dict[str, Any], message: str) -> None:
    world = World()
    await world.price()
    await world.user()
    error = await _refused(world, await world.key(**fields))
    assert isinstance(error, Unauthenticated)
    assert error.message == message


async def test_a_rotated_key_works_until_its_grace_is_over() -> None:
    world = World()
    old = await world.someone()
    record = await world.storage.directory.keys.get("key-of-alice")
    assert record is not None
    grace = {
        "digest": "f" * 64,
        "previous_digest": record.digest,
        "previous_valid_until": world.now + timedelta(seconds=60),
    }
    await world.storage.directory.keys.change("key-of-alice", grace)
    world.upstream.answer = completion()
    await world.chat(old)
    world.pass_time(seconds=60)
    with pytest.raises(Unauthenticated):
        await world.chat(old)


async def test_a_revoked_key_stops_once_the_directory_is_read_again() -> None:
    world = World(Policy(directory_age_s=0.05))
    key = await world.someone()
    world.upstream.answer = completion()
    await world.chat(key)
    await world.storage.directory.keys.change("key-of-alice", {"is_active": False})
    await asyncio.sleep(0.06)
    with pytest.raises(Unauthenticated):
        await world.chat(key)


async def test_a_key_does_not_spend_for_another_user() -> None:
    world = World()
    key = await world.someone()
    await world.user("bob")
    assert isinstance(await _refused(world, key, user="bob"), Forbidden)


async def test_a_key_may_name_its_own_user() -> None:
    world = World()
    key = await world.someone()
    world.upstream.answer = completion()
    await world.chat(key, user="alice")
    assert (await world.record()).user_id == "alice"


@pytest.mark.parametrize(("field", "payer"), [(UserField.PASS, "alice"), (UserField.ANY, "bob")])
async def test_an_administrator_decides_what_the_user_field_means(
    field: UserField, payer: str
) -> None:
    world = World(Policy(directory_age_s=0, user_field=field))
    key = await world.someone()
    await world.user("bob")
    world.upstream.answer = completion()
    await world.chat(key, user="bob")
    assert (await world.record()).user_id == payer
    assert world.upstream.sent["user"] == "bob"


async def test_the_master_key_must_say_who_pays() -> None:
    world = World()
    await world.someone()
    error = await _refused(world, MASTER_KEY)
    assert isinstance(error, InvalidRequest)
    assert error.message == "When using master key, 'user' field is required in request body"
    world.upstream.answer = completion()
    await world.chat(MASTER_KEY, user="alice")
    assert (await world.record()).user_id == "alice"


async def test_a_user_who_is_unknown_or_blocked_is_refused() -> None:
    world = World()
    await world.someone()
    assert isinstance(await _refused(world, MASTER_KEY, user="nobody"), NotFound)
    await world.user("bob", blocked=True)
    error = await _refused(world, MASTER_KEY, user="bob")
    assert (type(error), error.message) == (Forbidden, "User 'bob' is blocked")


async def test_a_model_outside_an_allow_list_is_refused() -> None:
    world = World()
    await world.price()
    await world.user(allowed_models=("openai:*",))
    assert isinstance(
        await _refused(world, await world.key(allowed_models=("openai:gpt-4*",))), Forbidden
    )
    world.upstream.answer = completion()
    await world.chat(await world.key(allowed_models=("openai/gpt-t*",)))


async def test_a_model_without_price_is_refused_unless_allowed() -> None:
    world = World()
    await world.user()
    assert isinstance(await _refused(world, await world.key()), Unpriceable)
    lenient = World(Policy(directory_age_s=0, allow_unpriced=True))
    await lenient.user()
    lenient.upstream.answer = completion()
    await lenient.chat(await lenient.key())
    assert (await lenient.record()).cost_usd is None


async def test_a_price_that_was_missed_is_there_once_it_is_set() -> None:
    world = World(Policy(directory_age_s=60))
    await world.user()
    key = await world.key()
    assert isinstance(await _refused(world, key), Unpriceable)
    await world.price()
    await world.chat(key)


@pytest.mark.parametrize(
    ("model", "kind"), [("gpt-4o", InvalidRequest), ("nowhere:gpt-4o", ModelNotFound)]
)
async def test_a_model_of_no_configured_provider_is_refused(
    model: str, kind: type[BursarError]
) -> None:
    world = World()
    assert isinstance(await _refused(world, await world.someone(), model=model), kind)


async def test_a_full_budget_refuses_with_the_seeds_message_and_says_what_would_fit() -> None:
    world = World()
    key = await world.someone("0.0001")
    error = await _refused(world, key)
    assert isinstance(error, BudgetExceeded)
    assert error.message == "User 'alice' has exceeded budget limit"
    assert "$0.0001 is left" in error.advice
    assert (await world.balance()).committed_usd == 0


async def test_an_assigned_budget_that_is_gone_refuses_instead_of_not_limiting() -> None:
    world = World()
    await world.price()
    await world.user(budget_id="gone")
    assert isinstance(await _refused(world, await world.key()), Forbidden)


async def test_a_free_model_is_served_past_its_budget() -> None:
    world = World()
    key = await world.someone("0")
    await world.price(usd_in="0", usd_out="0")
    world.upstream.answer = completion()
    await world.chat(key)
    assert (await world.record()).cost_usd == 0


async def test_a_free_model_is_served_even_to_who_has_overspent() -> None:
    world = World()
    key = await world.someone("0.01")
    world.upstream.answer = completion(prompt_tokens=1_000_000)
    await world.chat(key)
    assert (await world.balance()).committed_usd > Decimal("0.01")
    await world.price("openai:free", usd_in="0", usd_out="0")
    await world.chat(key, model="openai:free")
    assert len(await world.records()) == 2


async def test_a_refusal_by_a_later_budget_gives_back_what_an_earlier_one_held() -> None:
    world = World()
    await world.price()
    await world.budget("0.0001", "small", scope=Scope.POOL)
    await world.budget("5", "large")
    await world.user(budget_id="large", budget_started_at=world.now)
    error = await _refused(world, await world.key(budget_id="small"))
    assert error.message == "Budget 'small' has exceeded budget limit"
    assert (await world.balance()).committed_usd == 0


async def test_a_pool_is_shared_by_its_users() -> None:
    world = World()
    await world.price()
    await world.budget("0.0006", "pool", scope=Scope.POOL)
    for user_id in ("alice", "bob"):
        await world.user(user_id, budget_id="pool")
    alice, bob = await world.key("alice"), await world.key("bob")
    world.upstream.answer = completion(prompt_tokens=300, completion_tokens=100)
    await world.chat(alice)
    with pytest.raises(BudgetExceeded):
        await world.chat(bob)
    assert (await world.balance("alice")).committed_usd == Decimal("0.0005")
    assert (await world.balance("bob")).committed_usd == 0


async def test_two_hundred_at_once_on_a_budget_of_twenty_are_twenty() -> None:
    world = World()
    await world.price(usd_in="0", usd_out="10000")
    await world.budget("20")
    await world.user(budget_id="b1", budget_started_at=world.now)
    key = await world.key()
    world.upstream.answer = completion(completion_tokens=100)
    answers = await asyncio.gather(*(world.chat(key) for _ in range(200)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, BudgetExceeded)]
    assert len(refused) == 180
    assert (await world.balance()).committed_usd == 20
    assert sum(record.cost_usd or 0 for record in await world.records()) == 20


async def test_an_answer_is_shortened_to_what_the_budget_affords() -> None:
    world = World()
    key = await world.someone("0.003")
    world.upstream.answer = completion(prompt_tokens=10, completion_tokens=5)
    answer = await world.chat(key, max_tokens=100_000)
    sent = world.upstream.sent["max_tokens"]
    assert isinstance(sent, int)
    assert 256 <= sent < 100_000
    assert answer.headers["x-bursar-output-limit"] == str(sent)


async def test_a_shortened_answer_that_uses_all_of_it_stays_within_the_budget() -> None:
    world = World()
    key = await world.someone("0.003")
    world.upstream.answer = completion()
    await world.chat(key, max_tokens=100_000)
    assert (await world.balance()).committed_usd <= Decimal("0.003")


async def test_an_undeclared_output_is_limited_where_a_budget_must_hold() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = completion()
    answer = await world.chat(key, max_tokens=None)
    assert world.upstream.sent["max_completion_tokens"] == 16_384
    assert "x-bursar-output-limit" not in answer.headers


async def test_an_undeclared_output_is_left_alone_where_nothing_limits() -> None:
    world = World()
    key = await world.someone()
    world.upstream.answer = completion()
    await world.chat(key, max_tokens=None)
    assert "max_completion_tokens" not in world.upstream.sent
    assert "max_tokens" not in world.upstream.sent


async def test_requests_a_minute_are_limited_for_the_user_and_for_the_key() -> None:
    world = World()
    await world.price()
    await world.user(rate_limit_rpm=3)
    key = await world.key(rate_limit_rpm=2)
    world.upstream.answer = completion()
    first = await world.chat(key)
    assert first.headers["x-ratelimit-limit"] == "2"
    assert first.headers["x-ratelimit-remaining"] == "1"
    await world.chat(key)
    with pytest.raises(RateLimited) as refused:
        await world.chat(key)
    assert refused.value.message == "Rate limit exceeded"
    assert 1 <= refused.value.retry_after_s <= 60
    world.pass_time(seconds=60)
    await world.chat(key)


async def test_tokens_a_minute_count_what_was_used() -> None:
    world = World()
    await world.price()
    await world.user(rate_limit_tpm=1_000)
    key = await world.key()
    world.upstream.answer = completion(prompt_tokens=900, completion_tokens=50)
    await world.chat(key)
    with pytest.raises(RateLimited):
        await world.chat(key)


async def test_the_last_use_of_a_key_is_noted() -> None:
    world = World()
    key = await world.someone()
    world.upstream.answer = completion()
    await world.chat(key)
    record = await world.storage.directory.keys.get("key-of-alice")
    assert record is not None
    assert record.last_used_at == world.now


def test_the_model_of_the_tests_names_its_provider() -> None:
    assert MODEL.startswith("openai:")
