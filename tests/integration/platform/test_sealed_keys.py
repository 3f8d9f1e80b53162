"""Sealed keys around a rotation of the vault's key, as those see them who hold one or the other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.projects import ProviderKey
from bursar.vault import PrivateKey, open_v1, seal_v1
from tests.integration.asgi_client import client_of
from tests.integration.platform.direct import PROVIDER_KEY

if TYPE_CHECKING:
    from bursar.ports import Collection
    from tests.integration.platform.direct import Direct

KEY = "/api/v1/provider-keys/openai"


@pytest.fixture
def keys(direct: Direct) -> Collection[ProviderKey]:
    return direct.office.platform.platform.provider_keys(direct.project_id)


async def _rotate_key(direct: Direct, keys: Collection[ProviderKey]) -> PrivateKey:
    """The first half of a rotation: what is sealed is sealed anew, and what it was kept beside."""
    fresh = PrivateKey.generate()
    old = await keys.get(direct.key_id)
    assert old is not None
    changes = {
        "encrypted_key": seal_v1("sk-rotated", fresh.public),
        "sealed_to": str(fresh.public),
        "version": 2,
        "previous_encrypted_key": old.encrypted_key,
        "previous_sealed_to": old.sealed_to,
        "previous_version": 1,
        "previous_valid_until": direct.office.now + timedelta(hours=1),
    }
    await keys.change(direct.key_id, changes)
    return fresh


async def _rotate_project(direct: Direct, fresh: PrivateKey) -> None:
    """The second half, which makes the first one count."""
    platform = direct.office.platform.platform
    changes = {
        "encryption_key": str(fresh.public),
        "previous_encryption_key": str(direct.vault_key.public),
        "previous_valid_until": direct.office.now + timedelta(hours=1),
    }
    await platform.links.claim("vault", str(fresh.public), direct.project_id)
    await platform.projects.change(direct.project_id, changes)


async def _fetch(direct: Direct, vault_key: PrivateKey) -> dict[str, Any]:
    token = await direct.token(vault_key)
    async with client_of(direct.app, authorization=f"Bearer {token}") as client:
        answer = await client.get(KEY)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_in_a_grace_period_each_gets_what_its_own_key_opens(
    direct: Direct, keys: Collection[ProviderKey]
) -> None:
    fresh = await _rotate_key(direct, keys)
    await _rotate_project(direct, fresh)

    old, new = await _fetch(direct, direct.vault_key), await _fetch(direct, fresh)

    assert open_v1(old["encrypted_key"], direct.vault_key) == PROVIDER_KEY
    assert open_v1(new["encrypted_key"], fresh) == "sk-rotated"
    assert (old["version"], new["version"]) == (1, 2)


async def test_a_rotation_that_was_broken_off_changes_nothing_even_after_its_grace_period(
    direct: Direct, keys: Collection[ProviderKey]
) -> None:
    await _rotate_key(direct, keys)
    direct.office.wait(hours=2)

    found = await _fetch(direct, direct.vault_key)

    assert open_v1(found["encrypted_key"], direct.vault_key) == PROVIDER_KEY


async def test_a_use_is_noted_once_a_minute(direct: Direct, keys: Collection[ProviderKey]) -> None:
    async def noted() -> object:
        key = await keys.get(direct.key_id)
        return None if key is None else key.last_used_at

    begun = direct.office.now
    await _fetch(direct, direct.vault_key)
    direct.office.wait(seconds=59)
    await _fetch(direct, direct.vault_key)
    assert await noted() == begun
    direct.office.wait(seconds=1)
    await _fetch(direct, direct.vault_key)
    assert await noted() == direct.office.now


async def test_of_two_keys_of_a_provider_the_newer_one_is_used(
    direct: Direct, keys: Collection[ProviderKey]
) -> None:
    public = str(direct.vault_key.public)
    later = direct.office.now + timedelta(seconds=1)
    sealed = seal_v1("sk-newer", direct.vault_key.public)
    newer = ProviderKey("0-sorts-first", direct.project_id, "openai", sealed, later, public)
    await keys.put(newer)

    found = await _fetch(direct, direct.vault_key)

    assert open_v1(found["encrypted_key"], direct.vault_key) == "sk-newer"
