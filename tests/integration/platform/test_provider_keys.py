from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest

from bursar.vault import Binding, PrivateKey, seal_v2
from tests.integration.platform.rig import Vault, add_provider_key, made, new_vault, sign_in

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from tests.fakes.office import Office

KEYS = "/api/v1/provider-keys/"


@pytest.fixture
async def ada(app: FastAPI, office: Office) -> httpx2.AsyncClient:
    return (await sign_in(app, office, "ada")).client


@pytest.fixture
async def vault(ada: httpx2.AsyncClient) -> Vault:
    return await new_vault(ada)


async def listed(client: httpx2.AsyncClient, vault: Vault, archived: str = "false") -> list[str]:
    answer = await client.get(
        f"{KEYS}project/{vault.project_id}", params={"include_archived": archived}
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["count"] == len(body["data"])
    return [key["id"] for key in body["data"]]


async def test_a_key_is_kept_as_it_was_sealed(ada: httpx2.AsyncClient, vault: Vault) -> None:
    sealed = vault.sealed()
    key = await add_provider_key(ada, vault, sealed=sealed)
    assert uuid.UUID(key["id"])
    assert key == {
        "id": key["id"],
        "project_id": vault.project_id,
        "provider": "openai",
        "encrypted_key": sealed,
        "format": 1,
        "version": 1,
        "sealed_to": str(vault.key.public),
        "is_archived": False,
        "archived_at": None,
        "created_at": "2026-01-10T12:00:00.000000Z",
        "updated_at": None,
        "last_used_at": None,
    }
    assert await listed(ada, vault) == [key["id"]]


async def test_format_v2_is_told_from_v1(ada: httpx2.AsyncClient, vault: Vault) -> None:
    binding = Binding(vault.project_id, "openai", "default", 1)
    sealed = seal_v2("sk-x", vault.key.public, binding)
    assert (await add_provider_key(ada, vault, sealed=sealed))["format"] == 2


async def test_a_provider_without_a_key_has_an_empty_text(
    ada: httpx2.AsyncClient, vault: Vault
) -> None:
    key = await add_provider_key(ada, vault, "ollama", sealed="")
    assert (key["encrypted_key"], key["format"]) == ("", None)


@pytest.mark.parametrize("text", ["sk-in-the-open", "c2hvcnQ=", "bursar.v2.", "bursar.v3.AAAA"])
async def test_a_key_in_the_open_is_refused_and_not_repeated(
    ada: httpx2.AsyncClient, vault: Vault, text: str
) -> None:
    body = {"project_id": vault.project_id, "provider": "mistral", "encrypted_key": text}
    refused = await ada.post(KEYS, json=body)
    assert refused.status_code == 400
    assert text not in refused.text
    key = await add_provider_key(ada, vault)
    changed = await ada.patch(f"{KEYS}{key['id']}", json={"encrypted_key": text})
    assert changed.status_code == 400
    assert await listed(ada, vault) == [key["id"]]


@pytest.mark.parametrize("provider", ["", "Open AI", "openai/../x", "x" * 65, "ключ"])
async def test_a_providers_name_has_a_form(
    ada: httpx2.AsyncClient, vault: Vault, provider: str
) -> None:
    body = {"project_id": vault.project_id, "provider": provider, "encrypted_key": ""}
    assert (await ada.post(KEYS, json=body)).status_code == 422


async def test_a_text_has_a_longest_length(ada: httpx2.AsyncClient, vault: Vault) -> None:
    body = {"project_id": vault.project_id, "provider": "x", "encrypted_key": "A" * 16_385}
    assert (await ada.post(KEYS, json=body)).status_code == 422


async def test_a_provider_has_one_active_key(ada: httpx2.AsyncClient, vault: Vault) -> None:
    first = await add_provider_key(ada, vault)
    body = {"project_id": vault.project_id, "provider": "openai", "encrypted_key": vault.sealed()}
    assert (await ada.post(KEYS, json=body)).status_code == 409

    assert (await ada.delete(f"{KEYS}{first['id']}")).status_code == 200
    second = await made(ada, KEYS, body)
    refused = await ada.post(f"{KEYS}{first['id']}/unarchive")
    assert refused.status_code == 409
    assert await listed(ada, vault) == [second["id"]]


async def test_of_two_keys_at_once_at_most_one_stays(ada: httpx2.AsyncClient, vault: Vault) -> None:
    body = {"project_id": vault.project_id, "provider": "openai", "encrypted_key": vault.sealed()}
    answers = await asyncio.gather(*(ada.post(KEYS, json=body) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    stayed = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert len(stayed) <= 1
    assert await listed(ada, vault, "true") == stayed


async def test_a_new_text_is_the_next_version_sealed_for_the_present_key(
    ada: httpx2.AsyncClient, vault: Vault, office: Office
) -> None:
    key = await add_provider_key(ada, vault)
    other = PrivateKey.generate()
    await ada.patch(vault.path, json={"encryption_key": str(other.public)})
    office.wait(seconds=1)
    sealed = Vault(vault.project_id, other).sealed("sk-next")

    changed = (await ada.patch(f"{KEYS}{key['id']}", json={"encrypted_key": sealed})).json()
    assert changed == {
        **key,
        "encrypted_key": sealed,
        "version": 2,
        "sealed_to": str(other.public),
        "updated_at": "2026-01-10T12:00:01.000000Z",
    }


async def test_a_key_can_be_emptied_and_nothing_said_is_no_change(
    ada: httpx2.AsyncClient, vault: Vault
) -> None:
    key = await add_provider_key(ada, vault)
    emptied = (await ada.patch(f"{KEYS}{key['id']}", json={"encrypted_key": None})).json()
    assert (emptied["encrypted_key"], emptied["version"]) == ("", 2)
    assert (await ada.patch(f"{KEYS}{key['id']}", json={})).status_code == 422


async def test_an_archived_key_is_hidden_changed_archived_again_and_restored(
    ada: httpx2.AsyncClient, vault: Vault, office: Office
) -> None:
    key = await add_provider_key(ada, vault)
    path = f"{KEYS}{key['id']}"
    for _ in range(2):
        answer = await ada.delete(path, params={"permanent": "false"})
        assert (answer.status_code, answer.json()) == (200, {"message": "Provider key archived"})
        office.wait(hours=1)
    assert await listed(ada, vault) == []
    assert await listed(ada, vault, "true") == [key["id"]]

    changed = (await ada.patch(path, json={"encrypted_key": vault.sealed("sk-2")})).json()
    assert changed["is_archived"] is True
    assert changed["archived_at"] == "2026-01-10T12:00:00.000000Z"
    for _ in range(2):
        restored = await ada.post(f"{path}/unarchive")
        assert restored.status_code == 200
        assert (restored.json()["is_archived"], restored.json()["archived_at"]) == (False, None)
    assert await listed(ada, vault) == [key["id"]]


async def test_a_deleted_key_is_gone(ada: httpx2.AsyncClient, vault: Vault, office: Office) -> None:
    key = await add_provider_key(ada, vault)
    path = f"{KEYS}{key['id']}"
    answer = await ada.delete(path, params={"permanent": "true"})
    assert (answer.status_code, answer.json()) == (200, {"message": "Provider key deleted"})
    assert await listed(ada, vault, "true") == []
    assert await office.platform.platform.links.find("provider-key", key["id"]) is None
    for attempt in (ada.delete(path), ada.post(f"{path}/unarchive")):
        refused = await attempt
        assert (refused.status_code, refused.json()["detail"]) == (404, "Provider key not found")


@pytest.mark.parametrize("name", ["not-an-id", "x" * 3000, str(uuid.UUID(int=1))])
async def test_what_is_no_keys_id_is_not_found(
    ada: httpx2.AsyncClient, vault: Vault, name: str
) -> None:
    answer = await ada.patch(f"{KEYS}{name}", json={"encrypted_key": None})
    assert (answer.status_code, answer.json()["detail"]) == (404, "Provider key not found")
