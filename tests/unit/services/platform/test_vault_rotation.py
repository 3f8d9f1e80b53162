"""A vault's key is replaced while its users go on working, wherever the process dies meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import Conflict, InvalidRequest, StoreUnavailable, Unprocessable
from bursar.domain.keys import VirtualKey, digest_of
from bursar.domain.people import Person
from bursar.domain.projects import Project, key_holder, person_holder
from bursar.services.credentials import Credential
from bursar.services.platform.issuing import issue_for_vault, share_for
from bursar.services.platform.project_keys import ProjectKeyRequest
from bursar.services.platform.projects import ProjectRequest
from bursar.services.platform.rekeying import rekey, seal_provider_key
from bursar.services.platform.vault_rotation import ResealedShare, VaultRotationRequest
from bursar.services.vault_opening import open_provider_key
from bursar.vault import AnyLlmKey, PrivateKey, is_any_llm_key, open_share, seal_v1
from tests.fakes.breaking_platform import BreakingPlatform, Fuse
from tests.fakes.office import Office

if TYPE_CHECKING:
    from bursar.domain.projects import ProviderKey
    from bursar.services.platform.office import PlatformServices

SECRET = "sk-a-provider-key"
HOUR_S = 3600
ACCOUNT_KEY = PrivateKey.generate()


@dataclass
class Rig:
    """A project with two provider keys, one of them archived, a virtual key and its owner."""

    office: Office
    person: Person
    project: Project
    vault_key: PrivateKey
    virtual_key: str
    record: VirtualKey

    @property
    def services(self) -> PlatformServices:
        return self.office.platform

    async def present(self) -> Project:
        project = await self.services.platform.projects.get(self.project.project_id)
        assert project is not None
        return project

    async def provider_keys(self) -> list[ProviderKey]:
        keys = await self.services.provider_keys.list(await self.present(), include_archived=True)
        return list(keys)

    async def request(
        self, new: PrivateKey, old: PrivateKey | None = None, grace_s: int = HOUR_S
    ) -> VaultRotationRequest:
        """What the owner's machine makes of what the gateway lists."""
        project = await self.present()
        changes = rekey(
            old or self.vault_key,
            new,
            project.project_id,
            await self.provider_keys(),
            await self.services.vault_shares.list(project),
        )
        shares = {
            holder: ResealedShare(each.sealed, each.voucher) for holder, each in changes.shares
        }
        return VaultRotationRequest(changes.encryption_key, changes.provider_keys, shares, grace_s)

    async def rotate(self, wanted: VaultRotationRequest, fuse: Fuse | None = None) -> Project:
        platform = BreakingPlatform(self.services.platform, fuse or Fuse())
        services = replace(self.services, platform=platform)
        return await services.vault_rotation.rotate(await self.present(), wanted)

    async def opens(self, presented: str) -> str:
        """What the gateway makes of a request with this key, by what is in the table now."""
        project = await self.present()
        shares = self.services.platform.shares(project.project_id)
        share = await shares.get(key_holder(digest_of(presented)))
        stored = self.services.platform.provider_keys(project.project_id)
        key = await stored.get((await self.provider_keys())[0].provider_key_id)
        assert key is not None
        credential = Credential(presented, is_vault_key=is_any_llm_key(presented))
        return open_provider_key(credential, project, share, key, self.office.now)

    async def owners_vault_key(self) -> PrivateKey:
        """What the owner's own share tells."""
        project = await self.present()
        holder = person_holder(self.person.person_id)
        listed = await self.services.vault_shares.list(project)
        (sealed,) = [share.sealed for share in listed if share.holder_id == holder]
        opened = open_share(sealed, ACCOUNT_KEY, vault_id=project.project_id, holder_id=holder)
        return opened.private_key


def any_llm_key(private_key: PrivateKey) -> str:
    return AnyLlmKey("test", private_key).text()


async def add_key(rig: Rig, provider: str, sealed_format: int) -> ProviderKey:
    sealed = seal_provider_key(
        SECRET, rig.vault_key.public, rig.project.project_id, provider, 1, sealed_format
    )
    return await rig.services.provider_keys.create(rig.project, provider, sealed)


@pytest.fixture
async def rig() -> Rig:
    office, vault_key = Office(), PrivateKey.generate()
    services, now = office.platform, office.now
    person = Person("ada", "ada@example.com", now, now, "", "", now, str(ACCOUNT_KEY.public))
    await services.platform.people.put(person)
    wanted = ProjectRequest("web", encryption_key=str(vault_key.public))
    project = await services.projects.create(person, wanted)
    issued = issue_for_vault(vault_key, project.project_id)
    record = await services.project_keys.create(
        project, ProjectKeyRequest(issued.digest, issued.share)
    )
    own = share_for(vault_key, ACCOUNT_KEY.public, project.project_id, person_holder("ada"))
    await services.vault_shares.put_for_person(project, "ada", own)
    made = Rig(office, person, project, vault_key, issued.virtual_key, record)
    await add_key(made, "openai", 2)
    office.wait(seconds=1)
    archived = await add_key(made, "mistral", 1)
    await services.provider_keys.archive(archived)
    office.wait(seconds=1)
    await services.provider_keys.create(project, "ollama", "")
    return made


async def test_everybody_goes_on_and_the_old_key_ends_with_its_grace(rig: Rig) -> None:
    new = PrivateKey.generate()
    old_any_llm_key = any_llm_key(rig.vault_key)

    project = await rig.rotate(await rig.request(new))

    assert project.encryption_key == str(new.public)
    assert project.previous_encryption_key == str(rig.vault_key.public)
    for presented in (rig.virtual_key, any_llm_key(new), old_any_llm_key):
        assert await rig.opens(presented) == SECRET
    assert await rig.owners_vault_key() == new
    rig.office.wait(seconds=HOUR_S)
    assert not project.accepts_vault(str(rig.vault_key.public), rig.office.now)
    assert await rig.opens(rig.virtual_key) == SECRET


async def test_each_text_is_the_next_version_and_keeps_the_one_before(rig: Rig) -> None:
    new = PrivateKey.generate()
    await rig.rotate(await rig.request(new))

    assert [key.version for key in await rig.provider_keys()] == [2, 2, 1]
    for key in await rig.provider_keys():
        assert (key.sealed_to, key.previous_sealed_to) == (
            str(new.public),
            str(rig.vault_key.public),
        )
        assert key.previous_version == 1
        assert key.previous_valid_until is not None
        assert (key.previous_valid_until - rig.office.now).total_seconds() == HOUR_S
    archived = [key.archived_at is not None for key in await rig.provider_keys()]
    assert archived == [False, True, False]


async def test_without_a_grace_period_the_old_key_is_free_at_once(rig: Rig) -> None:
    new = PrivateKey.generate()
    project = await rig.rotate(await rig.request(new, grace_s=0))

    assert (project.previous_encryption_key, project.previous_valid_until) == (None, None)
    links = rig.services.platform.links
    assert await links.find("vault", str(rig.vault_key.public)) is None
    assert await links.find("vault", str(new.public)) == project.project_id
    assert await rig.opens(rig.virtual_key) == SECRET


async def test_a_second_rotation_ends_the_grace_of_the_first(rig: Rig) -> None:
    first, second = PrivateKey.generate(), PrivateKey.generate()
    await rig.rotate(await rig.request(first))
    project = await rig.rotate(await rig.request(second, old=first))

    assert project.previous_encryption_key == str(first.public)
    links = rig.services.platform.links
    assert await links.find("vault", str(rig.vault_key.public)) is None
    assert await links.find("vault", str(first.public)) == project.project_id
    assert await rig.opens(rig.virtual_key) == SECRET


async def test_a_rotation_is_harmless_to_repeat(rig: Rig) -> None:
    wanted = await rig.request(PrivateKey.generate())
    rotated = await rig.rotate(wanted)
    keys = await rig.provider_keys()
    rig.office.wait(seconds=60)

    assert await rig.rotate(wanted) == rotated
    assert await rig.provider_keys() == keys


WRITES = 1 + 3 + 2 + 1
"""The new key's link, three provider keys, two shares and the project."""


async def test_a_rotation_makes_as_many_writes_as_the_next_tests_break_it_at(rig: Rig) -> None:
    fuse = Fuse()
    await rig.rotate(await rig.request(PrivateKey.generate()), fuse)
    assert fuse.passed == WRITES


@pytest.mark.parametrize("grace_s", [0, HOUR_S])
@pytest.mark.parametrize("writes", range(WRITES))
async def test_wherever_a_rotation_breaks_its_users_go_on_and_it_can_be_repeated(
    rig: Rig, writes: int, grace_s: int
) -> None:
    new = PrivateKey.generate()
    wanted = await rig.request(new, grace_s=grace_s)
    with pytest.raises(StoreUnavailable):
        await rig.rotate(wanted, Fuse(writes))

    rig.office.wait(seconds=2 * HOUR_S)
    for presented in (rig.virtual_key, any_llm_key(rig.vault_key)):
        assert await rig.opens(presented) == SECRET
    assert await rig.owners_vault_key() == rig.vault_key

    await rig.rotate(wanted)
    for presented in (rig.virtual_key, any_llm_key(new)):
        assert await rig.opens(presented) == SECRET
    assert await rig.owners_vault_key() == new
    assert [key.version for key in await rig.provider_keys()] == [2, 2, 1]


@pytest.mark.parametrize("writes", range(WRITES))
async def test_after_a_rotation_that_broke_off_another_can_be_made(rig: Rig, writes: int) -> None:
    """Its new key may be lost with the machine that made it."""
    with pytest.raises(StoreUnavailable):
        await rig.rotate(await rig.request(PrivateKey.generate()), Fuse(writes))

    new = PrivateKey.generate()
    await rig.rotate(await rig.request(new, old=await rig.owners_vault_key()))

    for presented in (rig.virtual_key, any_llm_key(new)):
        assert await rig.opens(presented) == SECRET
    assert await rig.owners_vault_key() == new


async def test_what_is_left_out_is_named_and_nothing_changes(rig: Rig) -> None:
    wanted = await rig.request(PrivateKey.generate())
    keys, shares = await rig.provider_keys(), wanted.shares
    holder = key_holder(rig.record.digest)
    incomplete = replace(
        wanted,
        provider_keys=[key for key in wanted.provider_keys if key.version != 2],
        shares={name: share for name, share in shares.items() if name != holder},
    )
    fuse = Fuse()
    with pytest.raises(Conflict) as refused:
        await rig.rotate(incomplete, fuse)

    for key in keys[:2]:
        assert f"provider key {key.provider_key_id} ({key.provider}) is missing" in str(
            refused.value
        )
    assert f"the share of {holder} is missing" in str(refused.value)
    assert keys[2].provider_key_id not in str(refused.value)
    assert fuse.passed == 0


async def test_a_text_made_for_another_version_is_refused(rig: Rig) -> None:
    wanted = await rig.request(PrivateKey.generate())
    (key, *_) = await rig.provider_keys()
    await rig.services.provider_keys.replace(
        rig.project, key, seal_v1("sk-next", rig.vault_key.public)
    )
    fuse = Fuse()
    with pytest.raises(Conflict, match="has version 2, so its next one is 3"):
        await rig.rotate(wanted, fuse)
    assert fuse.passed == 0


async def test_another_projects_key_is_refused(rig: Rig) -> None:
    taken = PrivateKey.generate()
    other = ProjectRequest("other", encryption_key=str(taken.public))
    await rig.services.projects.create(rig.person, other)
    with pytest.raises(Conflict, match="Another project"):
        await rig.rotate(await rig.request(taken))
    assert await rig.opens(rig.virtual_key) == SECRET


async def test_a_project_without_a_vault_has_nothing_to_rotate(rig: Rig) -> None:
    bare = await rig.services.projects.create(rig.person, ProjectRequest("bare"))
    wanted = VaultRotationRequest(str(PrivateKey.generate().public), [], {}, 0)
    with pytest.raises(Conflict, match="no vault yet"):
        await rig.services.vault_rotation.rotate(bare, wanted)


async def test_a_text_in_the_open_is_refused(rig: Rig) -> None:
    wanted = await rig.request(PrivateKey.generate())
    in_the_open = [replace(key, encrypted_key=SECRET) for key in wanted.provider_keys]
    fuse = Fuse()
    with pytest.raises(InvalidRequest, match="no sealed key"):
        await rig.rotate(replace(wanted, provider_keys=in_the_open), fuse)
    assert fuse.passed == 0


async def test_a_grace_period_has_a_longest_length(rig: Rig) -> None:
    longest_s = rig.services.rules.grace_s_max
    with pytest.raises(Unprocessable, match=str(longest_s)):
        await rig.rotate(await rig.request(PrivateKey.generate(), grace_s=longest_s + 1))


async def test_a_holder_who_is_gone_needs_no_share_and_gets_none(rig: Rig) -> None:
    """A removed key's or member's share could only open the vault for somebody who should not."""
    request = await rig.request(PrivateKey.generate())
    await rig.services.directory.keys.remove(rig.record.key_id)

    await rig.rotate(request)

    shares = await rig.services.vault_shares.list(await rig.present())
    assert [share.holder_id for share in shares] == [person_holder("ada")]


async def test_both_texts_of_a_key_in_its_own_grace_go_on(rig: Rig) -> None:
    issued = issue_for_vault(rig.vault_key, rig.project.project_id)
    await rig.services.project_keys.rotate(
        rig.project, rig.record, issued.digest, issued.share, grace_s=HOUR_S
    )
    new = PrivateKey.generate()
    await rig.rotate(await rig.request(new))
    for presented in (rig.virtual_key, issued.virtual_key):
        assert await rig.opens(presented) == SECRET

    rig.office.wait(seconds=2 * HOUR_S)
    await rig.rotate(await rig.request(PrivateKey.generate(), old=new))
    holders = {
        share.holder_id for share in await rig.services.vault_shares.list(await rig.present())
    }
    assert holders == {person_holder("ada"), key_holder(issued.digest)}


async def test_what_is_sealed_for_an_earlier_key_hinders_nobody(rig: Rig) -> None:
    """A published client replaces the key and leaves what it cannot open archived."""
    second = PrivateKey.generate()
    project = await rig.services.projects.change(
        rig.project, {"encryption_key": str(second.public)}
    )
    assert await rig.services.vault_shares.list(project) == []
    stale = await rig.provider_keys()
    third = str(PrivateKey.generate().public)

    await rig.rotate(VaultRotationRequest(third, [], {}, HOUR_S))

    assert (await rig.provider_keys())[:2] == stale[:2]
    assert (await rig.present()).encryption_key == third
