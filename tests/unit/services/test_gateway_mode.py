"""A project's key: the vault is opened for a request, and the project's budgets pay for it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.accounts import project_account
from bursar.domain.budgets import Scope
from bursar.domain.errors import BudgetExceeded, Forbidden, Unauthenticated
from bursar.domain.holds import Balance
from bursar.domain.keys import digest_of
from bursar.domain.projects import SpendPeriod
from bursar.domain.usage import Status
from bursar.services.policy import Policy, UserField
from tests.fakes.scripted_upstream import DONE, completion, delta, stream, usage_chunk
from tests.fakes.sealed_project import SEALED, SealedProject
from tests.fakes.world import MASTER_KEY, MODEL, PROVIDER_KEY, World, drained

if TYPE_CHECKING:
    from bursar.domain.projects import ProjectBudget

# 300 tokens in at $1 and 100 out at $2 a million.
COST_USD = Decimal("0.0005")


async def _world(policy: Policy | None = None) -> tuple[World, SealedProject]:
    """A priced model, and a project whose vault has a key of its provider."""
    world = World(policy)
    await world.price()
    world.upstream.answer = completion(prompt_tokens=300, completion_tokens=100)
    project = await SealedProject.founded(world.storage, world.clock)
    await project.seal()
    return world, project


async def _spent_usd(world: World, budget: ProjectBudget) -> Decimal:
    account = project_account(budget, world.now)
    return (await world.ledger.balances([account])).get(account, Balance()).committed_usd


@pytest.mark.parametrize("sealed_format", [1, 2])
async def test_a_projects_virtual_key_reaches_the_provider_with_the_key_of_the_vault(
    sealed_format: int,
) -> None:
    world = World()
    await world.price()
    world.upstream.answer = completion()
    project = await SealedProject.founded(world.storage, world.clock)
    await project.seal(sealed_format=sealed_format)
    await world.chat(await project.issue())
    (sent,) = world.upstream.requests
    assert sent.headers["authorization"] == f"Bearer {SEALED}"
    assert sent.url == "https://api.example/v1/chat/completions"


async def test_the_vaults_own_key_is_a_bearer_too() -> None:
    world, project = await _world()
    await world.chat(project.vault.text())
    assert world.upstream.requests[0].headers["authorization"] == f"Bearer {SEALED}"


async def test_the_vaults_own_key_is_taken_in_every_header_that_a_client_may_use() -> None:
    world, project = await _world()
    sent = {"x-anyllm-key": f"Bearer {project.vault.text()}"}
    await world.chat("ignored", headers=sent)
    assert len(await world.records()) == 1


async def test_the_books_name_the_project_its_client_and_the_key_of_its_vault() -> None:
    world = World()
    await world.price()
    world.upstream.answer = completion(prompt_tokens=300, completion_tokens=100)
    project = await SealedProject.founded(world.storage, world.clock)
    provider_key_id = await project.seal()
    client_id = await project.client("worker")
    key = await project.issue(client_id=client_id)
    await world.chat(key)
    record = await world.record()
    assert record.status is Status.SUCCESS
    assert record.user_id == f"project/{project.project_id}"
    assert record.key_id == await world.storage.directory.key_id_of(digest_of(key))
    assert record.project_id == project.project_id
    assert record.client_id == client_id
    assert record.provider_key_id == provider_key_id
    assert record.cost_usd == COST_USD


async def test_the_books_name_the_vaults_own_key_by_its_fingerprint() -> None:
    world, project = await _world()
    await world.chat(project.vault.text())
    record = await world.record()
    assert record.key_id == f"vault/{project.vault.private_key.public.fingerprint}"
    assert record.user_id == project.user_id


async def test_a_deployments_own_request_is_no_projects() -> None:
    world = World()
    key = await world.someone()
    world.upstream.answer = completion()
    await world.chat(key)
    record = await world.record()
    assert (record.project_id, record.client_id, record.provider_key_id) == (None, None, None)


async def test_only_an_issued_keys_use_is_noted() -> None:
    world, project = await _world()
    key = await project.issue()
    await world.chat(key)
    await world.chat(project.vault.text())
    keys = await world.storage.directory.keys.page(skip=0, limit=10)
    assert [record.last_used_at for record in keys] == [world.now]


async def test_the_use_of_a_provider_key_is_noted_once_a_minute() -> None:
    world, project = await _world()
    key = await project.issue()
    started = world.now
    for seconds in (0, 59, 1):
        world.pass_time(seconds=seconds)
        await world.chat(key)
        (sealed,) = await project.platform.provider_keys(project.project_id).page(skip=0, limit=9)
        noted = world.now if seconds != 59 else started
        assert sealed.last_used_at == noted
        assert sealed.version == 1


async def test_a_stream_is_served_and_charged_as_a_whole_answer_is() -> None:
    world, project = await _world()
    world.upstream.answer = stream(delta("hi"), usage_chunk(300, 100), DONE)
    answer = await world.chat(await project.issue(), stream=True)
    assert b"[DONE]" in await drained(answer)
    assert (await world.record()).cost_usd == COST_USD
    assert (await world.balance(project.user_id)).committed_usd == COST_USD


async def test_embeddings_are_served() -> None:
    world, project = await _world()
    await world.embed(await project.issue())
    assert (await world.record()).provider_key_id is not None


async def test_a_project_spends_from_its_budgets_its_clients_and_its_user() -> None:
    world, project = await _world()
    client_id = await project.client("worker")
    of_others = await project.client("others")
    daily = await project.budget("1", period=SpendPeriod.DAILY)
    monthly = await project.budget("1", period=SpendPeriod.MONTHLY)
    clients = await project.budget("1", client_id, SpendPeriod.WEEKLY)
    not_mine = await project.budget("1", of_others)
    await world.chat(await project.issue(client_id=client_id))
    assert [await _spent_usd(world, each) for each in (daily, monthly, clients)] == [COST_USD] * 3
    assert await _spent_usd(world, not_mine) == 0
    assert (await world.balance(project.user_id)).committed_usd == COST_USD
    assert all(not balance.holds for balance in await world.all_balances())


async def test_a_projects_budget_refuses_and_gives_back_what_other_accounts_held() -> None:
    world, project = await _world()
    await project.budget("0.0001")
    with pytest.raises(BudgetExceeded, match=r"The project \(monthly budget\)"):
        await world.chat(await project.issue())
    assert world.upstream.requests == []
    assert {balance.committed_usd for balance in await world.all_balances()} == {Decimal(0)}


async def test_a_clients_budget_refuses_that_client_only() -> None:
    world, project = await _world()
    small, free = await project.client("small"), await project.client("free")
    await project.budget("0.0001", small)
    with pytest.raises(BudgetExceeded, match="client"):
        await world.chat(await project.issue(client_id=small))
    await world.chat(await project.issue(client_id=free))
    assert (await world.record()).client_id == free


async def test_a_key_without_a_client_lets_each_request_name_one() -> None:
    world, project = await _world()
    named, default = await project.client("web"), await project.client("rest", is_default=True)
    key = await project.issue()
    for name, client_id in (("web", named), ("nobody", default), (None, default)):
        headers = {} if name is None else {"anyllm-client-name": name}
        await world.chat(key, headers=headers)
        assert (await world.records())[0].client_id == client_id
        world.pass_time(seconds=1)


async def test_a_keys_own_client_cannot_be_left_by_naming_another() -> None:
    world, project = await _world()
    mine, other = await project.client("mine"), await project.client("other")
    await project.budget("0.0001", mine)
    key = await project.issue(client_id=mine)
    with pytest.raises(BudgetExceeded):
        await world.chat(key, headers={"anyllm-client-name": "other"})
    assert other != mine


async def test_a_key_of_a_deleted_client_counts_for_the_default() -> None:
    world, project = await _world()
    gone = await project.client("gone")
    default = await project.client("rest", is_default=True)
    key = await project.issue(client_id=gone)
    await project.platform.clients(project.project_id).remove(gone)
    await world.chat(key)
    assert (await world.record()).client_id == default


async def test_an_administrators_budgets_hold_beside_the_projects_own() -> None:
    world, project = await _world()
    await world.budget("1", "of-the-key")
    await world.budget("0.0001", "pool", scope=Scope.POOL)
    own = await project.budget("1")
    await world.storage.directory.users.change(project.user_id, {"budget_id": "pool"})
    key = await project.issue(budget_id="of-the-key", budget_started_at=world.now)
    with pytest.raises(BudgetExceeded, match="Budget 'pool'"):
        await world.chat(key)
    assert await _spent_usd(world, own) == 0
    assert {balance.committed_usd for balance in await world.all_balances()} == {Decimal(0)}


async def test_two_hundred_at_once_on_a_project_budget_of_twenty_are_twenty() -> None:
    world, project = await _world()
    await world.price(usd_in="0", usd_out="10000")
    budget = await project.budget("20")
    key = await project.issue()
    world.upstream.answer = completion(completion_tokens=100)
    answers = await asyncio.gather(*(world.chat(key) for _ in range(200)), return_exceptions=True)
    assert sum(isinstance(answer, BudgetExceeded) for answer in answers) == 180
    assert await _spent_usd(world, budget) == 20
    assert sum(record.cost_usd or 0 for record in await world.records()) == 20


@pytest.mark.parametrize("user", ["bob", "an-end-user"])
async def test_a_projects_key_does_not_spend_for_another_user(user: str) -> None:
    world, project = await _world()
    await world.user("bob")
    with pytest.raises(Forbidden, match="not for another 'user'"):
        await world.chat(await project.issue(), user=user)


@pytest.mark.parametrize("field", [UserField.PASS, UserField.ANY])
async def test_where_the_user_field_is_free_it_goes_to_the_provider_and_the_project_pays(
    field: UserField,
) -> None:
    world, project = await _world(Policy(directory_age_s=0, user_field=field))
    await world.user("bob")
    await world.chat(await project.issue(), user="bob")
    assert (await world.record()).user_id == project.user_id
    assert world.upstream.sent["user"] == "bob"


async def test_nobody_spends_for_a_project_but_its_own_keys() -> None:
    world, project = await _world(Policy(directory_age_s=0, user_field=UserField.ANY))
    await world.user()
    for key in (MASTER_KEY, await world.key()):
        with pytest.raises(Forbidden, match="own keys"):
            await world.chat(key, user=project.user_id)
    assert world.upstream.requests == []


async def test_a_blocked_or_deleted_project_is_refused() -> None:
    world, project = await _world()
    key = await project.issue()
    await world.storage.directory.users.change(project.user_id, {"blocked": True})
    with pytest.raises(Forbidden, match="blocked"):
        await world.chat(key)
    await project.platform.projects.remove(project.project_id)
    with pytest.raises(Unauthenticated, match="no longer exists"):
        await world.chat(key)


async def test_a_projects_key_is_held_to_its_allowed_models_and_to_its_rates() -> None:
    world, project = await _world()
    with pytest.raises(Forbidden, match="may not use"):
        await world.chat(await project.issue(allowed_models=("openai:other",)))
    answer = await world.chat(await project.issue(rate_limit_rpm=2))
    assert answer.headers["x-ratelimit-remaining"] == "1"


async def test_a_project_gets_nothing_that_the_administrator_keeps_for_the_deployment() -> None:
    world, project = await _world()
    await world.chat(await project.issue())
    assert PROVIDER_KEY not in str(world.upstream.requests[0].headers)


async def test_a_project_reaches_providers_that_the_deployment_has_no_key_of() -> None:
    world, project = await _world()
    await world.price("groq:llama")
    await project.seal("groq", "gsk-of-the-project")
    await world.chat(await project.issue(), model="groq:llama")
    (sent,) = world.upstream.requests
    assert sent.url.startswith("https://groq.example/v1/")
    assert sent.headers["authorization"] == "Bearer gsk-of-the-project"


async def test_a_projects_models_are_the_priced_ones_of_its_providers() -> None:
    world, project = await _world()
    for model in ("groq:llama", "azure:gpt", "ollama:llama"):
        await world.price(model)
    models = world.proxy_services().model_list
    headers = {"authorization": f"Bearer {await project.issue()}"}
    assert [model["id"] for model in (await models.all(headers))["data"]] == [MODEL]
    await project.seal("groq")
    assert [model["id"] for model in (await models.all(headers))["data"]] == ["groq:llama", MODEL]
    assert (await models.one(headers, "groq:llama"))["owned_by"] == "groq"
    vaults = {"authorization": f"Bearer {project.vault.text()}"}
    assert len((await models.all(vaults))["data"]) == 2
