from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.projects import key_holder
from bursar.services.platform.issuing import share_for
from bursar.vault import PrivateKey, open_share, seal_v1, wrapping_key
from tests.integration.platform.rig import (
    SECRET,
    Vault,
    add_provider_key,
    made,
    new_vault,
    sign_in,
)

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from tests.fakes.office import Office


@pytest.fixture
async def ada(app: FastAPI, office: Office) -> httpx2.AsyncClient:
    return (await sign_in(app, office, "ada")).client


async def test_a_vault_is_rotated_and_everything_in_it_with_it(
    ada: httpx2.AsyncClient, office: Office
) -> None:
    vault, new = await new_vault(ada), PrivateKey.generate()
    provider_key = await add_provider_key(ada, vault)
    issued, body = vault.issue()
    await made(ada, f"{vault.path}/keys", body)
    holder = key_holder(issued.digest)
    share = share_for(new, wrapping_key(issued.virtual_key).public, vault.project_id, holder)
    wanted: dict[str, Any] = {
        "encryption_key": str(new.public),
        "provider_keys": [
            {
                "id": provider_key["id"],
                "encrypted_key": seal_v1(SECRET, new.public),
                "version": 2,
            }
        ],
        "shares": [{"holder_id": holder, "sealed": share.sealed, "voucher": share.voucher}],
        "grace_period_sec": 3600,
    }
    path = f"{vault.path}/vault/rotate"
    incomplete = await ada.post(path, json={**wanted, "provider_keys": []})
    assert incomplete.status_code == 409
    assert provider_key["id"] in incomplete.json()["detail"]

    office.wait(seconds=1)
    answer = await ada.post(path, json=wanted)
    assert answer.status_code == 200
    assert answer.json() == (await ada.get(vault.path)).json()
    assert answer.json()["encryption_key"] == str(new.public)
    assert answer.json()["previous_encryption_key"] == str(vault.key.public)
    assert answer.json()["previous_valid_until"] == "2026-01-10T13:00:01.000000Z"

    (key,) = (await ada.get(f"/api/v1/provider-keys/project/{vault.project_id}")).json()["data"]
    assert (key["version"], key["sealed_to"]) == (2, str(new.public))
    assert key["encrypted_key"] == wanted["provider_keys"][0]["encrypted_key"]
    shown = (await ada.get(f"{vault.path}/vault")).json()
    assert shown["previous_valid_until"] == "2026-01-10T13:00:01.000000Z"
    (listed,) = shown["shares"]
    opened = open_share(
        listed["sealed"],
        wrapping_key(issued.virtual_key),
        vault_id=vault.project_id,
        holder_id=holder,
    )
    assert opened.private_key == new
    assert (await ada.post(path, json=wanted)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"encryption_key": "x"}, 400),
        ({"provider_keys": [{"id": "x", "encrypted_key": "in the open", "version": 2}]}, 400),
        ({"provider_keys": [{"id": "x", "encrypted_key": "", "version": 2}]}, 422),
        ({"provider_keys": [{"id": "x", "encrypted_key": "AAAA", "version": 0}]}, 422),
        ({"shares": [{"holder_id": "person/x", "sealed": "x", "voucher": "x"}]}, 422),
        ({"grace_period_sec": -1}, 422),
        ({"grace_period_sec": 30 * 24 * 3600 + 1}, 422),
        ({"shares": None}, 422),
    ],
)
async def test_a_rotation_that_makes_no_sense_changes_nothing(
    ada: httpx2.AsyncClient, fields: dict[str, Any], status: int
) -> None:
    vault = await new_vault(ada)
    wanted = {
        "encryption_key": str(PrivateKey.generate().public),
        "provider_keys": [],
        "shares": [],
    }
    answer = await ada.post(f"{vault.path}/vault/rotate", json=wanted | fields)
    assert answer.status_code == status, answer.text
    assert (await ada.get(vault.path)).json()["encryption_key"] == str(vault.key.public)


async def test_a_project_without_a_vault_cannot_rotate_it(ada: httpx2.AsyncClient) -> None:
    project = await made(ada, "/api/v1/projects/", {"name": "bare"})
    vault = Vault(project["id"], PrivateKey.generate())
    wanted = {"encryption_key": str(vault.key.public), "provider_keys": [], "shares": []}
    assert (await ada.post(f"{vault.path}/vault/rotate", json=wanted)).status_code == 409
