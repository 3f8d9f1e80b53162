"""A project asks for an alias: its targets are called with the vault's keys, or not at all."""

from __future__ import annotations

import pytest

from bursar.domain.aliases import Alias, AliasTarget
from bursar.domain.errors import ModelNotFound
from tests.fakes.sealed_project import SEALED, SealedProject
from tests.fakes.several_upstreams import SeveralUpstreams, failing
from tests.fakes.world import World

GROQ_KEY = "sk-canary-groq-in-the-vault-0123456789"


async def a_project(*models: str) -> tuple[World, SealedProject]:
    """An alias `fast`, and a deployment that has keys of its own for all of it."""
    world = World(providers=("groq",))
    for model in models:
        await world.price(model)
    targets = tuple(AliasTarget(model) for model in models)
    alias = Alias("fast", targets, world.now, world.now, retries=0)
    await world.storage.directory.aliases.put(alias)
    return world, await SealedProject.founded(world.storage, world.clock)


async def test_targets_whose_key_the_project_has_not_are_passed_by() -> None:
    world, project = await a_project("groq:b", "openai:a")
    await project.seal()
    upstreams = SeveralUpstreams(world)

    answer = await world.chat(await project.issue(), model="fast")

    (sent,) = upstreams.requests
    assert sent.headers["authorization"] == f"Bearer {SEALED}"
    assert answer.headers["x-bursar-model"] == "openai:a"
    assert answer.headers["x-bursar-route"] == "fallback;after=groq:b;because=model_not_found"


async def test_each_target_is_called_with_its_own_key_and_the_books_name_the_last() -> None:
    world, project = await a_project("openai:a", "groq:b")
    await project.seal()
    groq_key_id = await project.seal("groq", GROQ_KEY)
    upstreams = SeveralUpstreams(world, openai=[failing(503)])

    await world.chat(await project.issue(), model="fast")

    sent = [request.headers["authorization"] for request in upstreams.requests]
    assert sent == [f"Bearer {SEALED}", f"Bearer {GROQ_KEY}"]
    record = await world.record()
    assert (record.project_id, record.provider_key_id) == (project.project_id, groq_key_id)
    assert (record.provider, record.alias) == ("groq", "fast")


async def test_without_any_key_the_alias_is_not_there_for_the_project() -> None:
    world, project = await a_project("openai:a", "groq:b")
    upstreams = SeveralUpstreams(world)
    with pytest.raises(ModelNotFound, match="has no key of provider 'openai'"):
        await world.chat(await project.issue(), model="fast")
    assert upstreams.asked == []


async def test_a_failing_key_of_one_project_keeps_nobody_else_away() -> None:
    world, project = await a_project("openai:a", "groq:b")
    await project.seal()
    await project.seal("groq", GROQ_KEY)
    upstreams = SeveralUpstreams(world, openai=[failing(429) for _ in range(5)])
    key = await project.issue()
    for _ in range(5):
        await world.chat(key, model="fast")
    upstreams.requests.clear()

    await world.chat(key, model="fast")
    await world.user()
    answer = await world.chat(await world.key(), model="fast")

    assert upstreams.asked == ["groq", "openai"]
    assert answer.headers["x-bursar-route"] == "primary"
