"""Every key can be replaced while callers go on working, whatever is written first."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from bursar.domain.errors import Unauthenticated, VaultClosed
from bursar.domain.keys import digest_of
from bursar.memory import MemoryPlatform
from bursar.memory.collection import MemoryCollection
from bursar.services.policy import Policy
from bursar.vault import AnyLlmKey
from tests.fakes.scripted_upstream import completion
from tests.fakes.sealed_project import SEALED, SealedProject
from tests.fakes.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from _typeshed import DataclassInstance

    from bursar.domain.projects import ProviderKey, VaultShare
    from bursar.services.platform.rekeying import Rekeying

RecordT = TypeVar("RecordT", bound="DataclassInstance")
GRACE_S = 600


class Crash(Exception):
    """The control plane died."""


async def _project(world: World, *, sealed_format: int = 1) -> SealedProject:
    await world.price()
    world.upstream.answer = completion()
    project = await SealedProject.founded(world.storage, world.clock)
    await project.seal(sealed_format=sealed_format)
    await project.seal("groq", sealed_format=sealed_format)
    return project


async def _works(world: World, key: str, sealed: str = SEALED) -> None:
    await world.chat(key)
    assert world.upstream.requests[-1].headers["authorization"] == f"Bearer {sealed}"
    world.pass_time(milliseconds=1)


async def test_a_rotated_virtual_key_opens_the_vault_until_its_grace_is_over() -> None:
    world = World()
    project = await _project(world)
    old = await project.issue()
    key_id = await world.storage.directory.key_id_of(digest_of(old))
    new = await project.rotate_key(str(key_id), grace_s=GRACE_S)
    await _works(world, old)
    await _works(world, new)
    world.pass_time(seconds=GRACE_S)
    with pytest.raises(Unauthenticated):
        await world.chat(old)
    await _works(world, new)


@pytest.mark.parametrize("sealed_format", [1, 2])
async def test_a_replaced_provider_key_is_used_with_the_next_request(sealed_format: int) -> None:
    world = World()
    project = await _project(world, sealed_format=sealed_format)
    key = await project.issue()
    await _works(world, key)
    found = await project.platform.provider_keys(project.project_id).page(skip=0, limit=9)
    (openai,) = (one for one in found if one.provider == "openai")
    await project.reseal(openai.provider_key_id, "sk-next", sealed_format=sealed_format)
    await _works(world, key, "sk-next")
    await _works(world, project.vault.text(), "sk-next")


@pytest.mark.parametrize("sealed_format", [1, 2])
async def test_a_rotated_vault_keeps_its_virtual_keys_for_good_and_its_old_key_for_the_grace(
    sealed_format: int,
) -> None:
    world = World()
    project = await _project(world, sealed_format=sealed_format)
    key, new = await project.issue(), AnyLlmKey.generate()
    await project.rotate_vault(await project.rekeyed(new), GRACE_S)
    for text in (key, project.vault.text(), new.text()):
        await _works(world, text)
    world.pass_time(seconds=GRACE_S)
    with pytest.raises(Unauthenticated):
        await world.chat(project.vault.text())
    for text in (key, new.text()):
        await _works(world, text)


async def test_without_a_grace_the_old_vault_key_ends_at_once_and_virtual_keys_do_not() -> None:
    world = World()
    project = await _project(world)
    key, new = await project.issue(), AnyLlmKey.generate()
    await project.rotate_vault(await project.rekeyed(new), 0)
    with pytest.raises(Unauthenticated):
        await world.chat(project.vault.text())
    for text in (key, new.text()):
        await _works(world, text)


@pytest.mark.parametrize("grace_s", [0, GRACE_S])
async def test_what_a_gateway_remembers_of_a_vault_does_not_outlast_its_rotation(
    grace_s: int,
) -> None:
    world = World(Policy(directory_age_s=3600))
    project = await _project(world)
    key, old, new = await project.issue(), project.vault.text(), AnyLlmKey.generate()
    await _works(world, key)
    await _works(world, old)
    with pytest.raises(Unauthenticated):
        await world.chat(AnyLlmKey.generate().text())
    await project.rotate_vault(await project.rekeyed(new), grace_s)
    await _works(world, new.text())  # which makes the gateway read the project, and only that
    await _works(world, key)


class _Crashing(MemoryCollection[RecordT]):
    """A collection of which changes are made until none is left, and then there is a crash.

    Args:
        kept: the collection itself.
        left: as many items as there still are changes, shared between collections.
    """

    def __init__(self, kept: MemoryCollection[RecordT], left: list[None]) -> None:
        self._defaults, self._id_field = kept._defaults, kept._id_field
        self._records = kept._records
        self._left = left

    async def change(self, record_id: str, changes: Mapping[str, Any]) -> RecordT | None:
        if not self._left:
            raise Crash
        self._left.pop()
        return await super().change(record_id, changes)


class _CrashingPlatform(MemoryPlatform):
    def __init__(self, kept: MemoryPlatform, changes: int) -> None:
        self.__dict__.update(kept.__dict__)
        self._left = [None] * changes
        self.projects = _Crashing(kept.projects, self._left)

    def provider_keys(self, project_id: str) -> MemoryCollection[ProviderKey]:
        return _Crashing(super().provider_keys(project_id), self._left)

    def shares(self, project_id: str) -> MemoryCollection[VaultShare]:
        return _Crashing(super().shares(project_id), self._left)


# Two provider keys, a share, and the project at last.
@pytest.mark.parametrize("changes", range(4))
@pytest.mark.parametrize("grace_s", [0, GRACE_S])
async def test_a_rotation_that_is_broken_off_anywhere_stops_nobody_and_can_be_repeated(
    changes: int, grace_s: int
) -> None:
    world = World()
    project = await _project(world, sealed_format=2)
    key, new = await project.issue(), AnyLlmKey.generate()
    rekeyed = await project.rekeyed(new)
    crashing = _CrashingPlatform(world.platform, changes)
    with pytest.raises(Crash):
        await project.rotate_vault(rekeyed, grace_s, platform=crashing)
    for text in (key, project.vault.text()):
        await _works(world, text)
    with pytest.raises(Unauthenticated):
        await world.chat(new.text())
    world.pass_time(seconds=2 * GRACE_S)
    for text in (key, project.vault.text()):
        await _works(world, text)
    await project.rotate_vault(rekeyed, grace_s)
    for text in (key, new.text()):
        await _works(world, text)


async def _write(project: SealedProject, what: str, changes: Rekeying, until: datetime) -> None:
    """One part of a rotation."""
    platform, old = project.platform, str(project.vault.private_key.public)
    if what == "project":
        wanted = {
            "encryption_key": changes.encryption_key,
            "previous_encryption_key": old,
            "previous_valid_until": until,
        }
        await platform.links.claim("vault", changes.encryption_key, project.project_id)
        await platform.projects.change(project.project_id, wanted)
    elif what == "provider keys":
        for resealed in changes.provider_keys:
            key = await project.provider_key(resealed.provider_key_id)
            wanted = {
                "encrypted_key": resealed.encrypted_key,
                "version": resealed.version,
                "sealed_to": changes.encryption_key,
                "previous_encrypted_key": key.encrypted_key,
                "previous_version": key.version,
                "previous_sealed_to": old,
                "previous_valid_until": until,
            }
            keys = platform.provider_keys(project.project_id)
            await keys.change(key.provider_key_id, wanted)
    else:
        shares = platform.shares(project.project_id)
        for holder_id, share in changes.shares:
            before = await shares.get(holder_id)
            assert before is not None
            wanted = {
                "sealed": share.sealed,
                "sealed_to": changes.encryption_key,
                "previous_sealed": before.sealed,
                "previous_sealed_to": old,
                "previous_valid_until": until,
            }
            await shares.change(holder_id, wanted)


@pytest.mark.parametrize(
    "order", list(permutations(["project", "provider keys", "shares"])), ids=" then ".join
)
async def test_whatever_a_rotation_writes_first_running_callers_keep_working(
    order: Sequence[str],
) -> None:
    world = World()
    project = await _project(world, sealed_format=2)
    key, new = await project.issue(), AnyLlmKey.generate()
    changes, until = await project.rekeyed(new), project.until(seconds=GRACE_S)
    for what in order:
        await _write(project, what, changes, until)
        for text in (key, project.vault.text()):
            await _works(world, text)
    await _works(world, new.text())
    world.pass_time(seconds=GRACE_S)
    await _works(world, key)


async def test_a_new_vault_key_opens_nothing_that_is_sealed_to_the_old_one() -> None:
    world = World()
    project = await _project(world)
    new = AnyLlmKey.generate()
    changes, until = await project.rekeyed(new), project.until(seconds=GRACE_S)
    await _write(project, "project", changes, until)
    with pytest.raises(VaultClosed, match="earlier vault key"):
        await world.chat(new.text())


async def test_a_published_clients_rotation_lets_the_new_key_in_as_soon_as_it_has_sealed() -> None:
    """It changes the project first and then one key after another, under a gateway's memory."""
    world = World(Policy(directory_age_s=3600))
    project = await _project(world)
    old, project.vault = project.vault, AnyLlmKey.generate()
    await _works(world, old.text())
    public_key = str(project.vault.private_key.public)
    await project.platform.links.claim("vault", public_key, project.project_id)
    await project.platform.projects.change(project.project_id, {"encryption_key": public_key})
    with pytest.raises(VaultClosed):
        await world.chat(project.vault.text())
    for key in await project.platform.provider_keys(project.project_id).page(skip=0, limit=9):
        await project.reseal(key.provider_key_id, "sk-sealed-again")
    await _works(world, project.vault.text(), "sk-sealed-again")
    with pytest.raises(Unauthenticated):
        await world.chat(old.text())
