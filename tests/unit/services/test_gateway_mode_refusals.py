"""Keys of projects that open nothing: refused with the remedy, and charged nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.errors import BursarError, ModelNotFound, Unauthenticated, VaultClosed
from bursar.domain.events import TurnedAway
from bursar.domain.keys import digest_of
from bursar.domain.projects import key_holder
from bursar.vault import AnyLlmKey
from tests.fakes.scripted_upstream import completion
from tests.fakes.sealed_project import SEALED, SealedProject
from tests.fakes.world import World

if TYPE_CHECKING:
    from bursar.domain.projects import VaultShare

PRIVATE = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY="


async def _project(world: World, **key: Any) -> SealedProject:
    await world.price()
    await world.price("groq:llama")
    world.upstream.answer = completion()
    project = await SealedProject.founded(world.storage, world.clock)
    await project.seal(**key)
    return project


async def _refused(world: World, key: str, **body: Any) -> BursarError:
    """What a request is refused with that reaches no provider and no account."""
    with pytest.raises(BursarError) as refused:
        await world.chat(key, **body)
    assert world.upstream.requests == []
    assert await world.records() == []
    assert all(balance.committed_usd == 0 for balance in await world.all_balances())
    assert isinstance(world.observed[-1], TurnedAway)
    assert world.observed[-1].code == refused.value.code
    return refused.value


async def _share(project: SealedProject, key: str) -> VaultShare:
    share = await project.platform.shares(project.project_id).get(key_holder(digest_of(key)))
    assert share is not None
    return share


@pytest.mark.parametrize(
    "text",
    [
        "ANY.v1.",
        "ANY.v1.12345678.b4c60bb1",
        f"ANY.v1.12345678.b4c60bb1-{PRIVATE[:-4]}",
        f"ANY.v1.12345678.b4c60bb1-{PRIVATE[:-1]}",
        f"ANY.v1.12345678.b4c60bb1-{PRIVATE}\u00fc",
        f"ANY.v1..b4c60bb1-{PRIVATE}",
        f"ANY.v2.12345678.b4c60bb1-{PRIVATE}",
        f"ANY.v1.12345678.b4c60bb1-{PRIVATE} ",
    ],
)
async def test_a_malformed_any_llm_key_is_refused_without_being_repeated(text: str) -> None:
    error = await _refused(World(), text)
    assert isinstance(error, Unauthenticated)
    assert error.message.startswith("Invalid ANY_LLM_KEY")
    assert PRIVATE[:8] not in error.message


async def test_a_vault_key_that_no_project_has_is_no_credential() -> None:
    world = World()
    await _project(world)
    error = await _refused(world, AnyLlmKey.generate().text())
    assert isinstance(error, Unauthenticated)
    assert error.message == "Invalid API key"


async def test_an_any_llm_key_is_told_by_its_key_and_not_by_its_name_or_fingerprint() -> None:
    world = World()
    project = await _project(world)
    key = project.vault.text().replace(project.vault.key_id, "another")
    await world.chat(key.replace(project.vault.private_key.public.fingerprint, "00000000"))
    assert (await world.record()).project_id == project.project_id


async def test_a_vault_key_ends_at_once_when_a_published_client_replaces_it() -> None:
    world = World()
    project = await _project(world)
    virtual_key = await project.issue()
    other = str(AnyLlmKey.generate().private_key.public)
    await project.platform.projects.change(project.project_id, {"encryption_key": other})
    assert isinstance(await _refused(world, project.vault.text()), Unauthenticated)
    error = await _refused(world, virtual_key)
    assert isinstance(error, VaultClosed)
    assert "issue another" in error.message


async def test_an_archived_provider_key_is_not_used() -> None:
    world = World()
    project = await _project(world)
    (key,) = await project.platform.provider_keys(project.project_id).page(skip=0, limit=9)
    archived = {"archived_at": world.now}
    await project.platform.provider_keys(project.project_id).change(key.provider_key_id, archived)
    for text in (await project.issue(), project.vault.text()):
        error = await _refused(world, text)
        assert isinstance(error, ModelNotFound)
        assert "bursar vault seal" in error.message


async def test_a_key_whose_share_is_gone_says_that_another_is_to_be_issued() -> None:
    world = World()
    project = await _project(world)
    key = await project.issue()
    shares = project.platform.shares(project.project_id)
    await shares.remove(key_holder(digest_of(key)))
    error = await _refused(world, key)
    assert isinstance(error, VaultClosed)
    assert "bursar vault issue" in error.message


async def test_a_share_of_another_key_or_project_opens_nothing() -> None:
    world = World()
    mine, other = await _project(world), await _project(world)
    key, second, foreign = await mine.issue(), await mine.issue(), await other.issue()
    kept = await _share(mine, key)
    for share in (await _share(mine, second), await _share(other, foreign)):
        swapped = replace(share, holder_id=kept.holder_id)
        await mine.platform.shares(mine.project_id).put(swapped)
        assert isinstance(await _refused(world, key), VaultClosed)


async def test_a_damaged_share_is_refused_and_no_failure_of_the_gateway() -> None:
    world = World()
    project = await _project(world)
    key = await project.issue()
    share = await _share(project, key)
    for sealed in ("", "x", "bursar.share.v1.", share.sealed[:-8], "bursar.share.v1." + "A" * 200):
        await project.platform.shares(project.project_id).put(replace(share, sealed=sealed))
        assert isinstance(await _refused(world, key), VaultClosed)


@pytest.mark.parametrize("sealed", ["plain text", "bursar.v2.", "bursar.v9.AAAA", "A" * 400])
async def test_a_damaged_provider_key_is_refused_and_no_failure_of_the_gateway(sealed: str) -> None:
    world = World()
    project = await _project(world)
    key_id = await project.put_sealed("groq", sealed)
    for key in (await project.issue(), project.vault.text()):
        error = await _refused(world, key, model="groq:llama")
        assert isinstance(error, VaultClosed)
        assert sealed not in error.message
    assert key_id


async def test_swapped_texts_of_two_providers_are_refused_in_format_v2() -> None:
    world = World()
    project = await _project(world, sealed_format=2)
    await project.seal("groq", sealed_format=2)
    keys = project.platform.provider_keys(project.project_id)
    one, two = await keys.page(skip=0, limit=9)
    await keys.change(one.provider_key_id, {"encrypted_key": two.encrypted_key})
    await keys.change(two.provider_key_id, {"encrypted_key": one.encrypted_key})
    for model in ("openai:gpt-test", "groq:llama"):
        error = await _refused(world, await project.issue(), model=model)
        assert isinstance(error, VaultClosed)
        assert "another place" in error.message


async def test_an_earlier_version_of_a_provider_key_is_refused_in_format_v2() -> None:
    world = World()
    project = await _project(world, sealed_format=2)
    keys = project.platform.provider_keys(project.project_id)
    (old,) = await keys.page(skip=0, limit=9)
    await project.reseal(old.provider_key_id, "sk-the-next-one", sealed_format=2)
    await keys.change(old.provider_key_id, {"encrypted_key": old.encrypted_key})
    assert isinstance(await _refused(world, await project.issue()), VaultClosed)


async def test_a_key_that_accepts_only_v2_cannot_be_given_v1() -> None:
    world = World()
    project = await _project(world, sealed_format=1)
    error = await _refused(world, await project.issue(oldest_format=2))
    assert isinstance(error, VaultClosed)
    assert "--format 2" in error.message
    await world.chat(await project.issue(oldest_format=1))


@pytest.mark.parametrize("text", ["", "  ", "sk-\r\nx-evil: 1", "sk-\u00e9", "sk a", "sk-\x00"])
async def test_a_sealed_text_that_no_header_may_hold_is_not_sent_and_not_shown(text: str) -> None:
    world = World()
    project = await _project(world, text=text)
    error = await _refused(world, await project.issue())
    assert isinstance(error, VaultClosed)
    assert "no HTTP header" in error.message
    assert text.strip() in {"", *error.message.split()} or text not in error.message


async def test_the_line_end_that_a_shell_seals_along_is_left_out() -> None:
    world = World()
    project = await _project(world, text=f"{SEALED}\n")
    await world.chat(await project.issue())
    assert world.upstream.requests[0].headers["authorization"] == f"Bearer {SEALED}"


async def test_a_provider_that_refuses_the_vaults_key_is_the_projects_affair() -> None:
    world = World()
    project = await _project(world)
    world.upstream.answer = replace(completion(), status=401)
    answer = await world.chat(await project.issue())
    assert answer.status == 401
    assert b"key in the project's vault" in getattr(answer, "body", b"")
