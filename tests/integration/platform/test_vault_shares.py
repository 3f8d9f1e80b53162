from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.people import Role
from bursar.domain.projects import key_holder, person_holder
from bursar.services.platform.issuing import share_for
from bursar.vault import PrivateKey, open_share
from tests.integration.platform.rig import SignedIn, Vault, join, made, new_vault, sign_in

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tests.fakes.office import Office

BOBS_KEY = PrivateKey.generate()


@pytest.fixture
async def ada(app: FastAPI, office: Office) -> SignedIn:
    return await sign_in(app, office, "ada")


@pytest.fixture
async def bob(app: FastAPI, office: Office) -> SignedIn:
    return await sign_in(app, office, "bob", BOBS_KEY)


@pytest.fixture
async def vault(ada: SignedIn) -> Vault:
    return await new_vault(ada.client)


def share_body(vault: Vault, person_id: str, key: PrivateKey = BOBS_KEY) -> dict[str, Any]:
    made_here = share_for(vault.key, key.public, vault.project_id, person_holder(person_id))
    return asdict(made_here)


def share_path(vault: Vault, person_id: str) -> str:
    return f"{vault.path}/vault/shares/person/{person_id}"


async def test_a_vault_shows_its_key_and_who_can_open_it(
    ada: SignedIn, bob: SignedIn, vault: Vault, office: Office
) -> None:
    empty = (await ada.client.get(f"{vault.path}/vault")).json()
    assert empty == {
        "encryption_key": str(vault.key.public),
        "previous_encryption_key": None,
        "previous_valid_until": None,
        "shares": [],
        "my_share": None,
    }
    await join(office, vault.project_id, bob.person, Role.READ_ONLY)
    body = share_body(vault, bob.person.person_id)
    put = await ada.client.put(share_path(vault, bob.person.person_id), json=body)
    assert put.status_code == 200
    issued, key = vault.issue()
    await made(ada.client, f"{vault.path}/keys", key)

    shown = (await bob.client.get(f"{vault.path}/vault")).json()
    holder = person_holder(bob.person.person_id)
    assert (
        shown["my_share"]
        == put.json()
        == {
            "holder_id": holder,
            **body,
            "created_at": "2026-01-10T12:00:00.000000Z",
            "updated_at": "2026-01-10T12:00:00.000000Z",
        }
    )
    assert {share["holder_id"] for share in shown["shares"]} == {key_holder(issued.digest), holder}
    sealed = shown["my_share"]["sealed"]
    opened = open_share(sealed, BOBS_KEY, vault_id=vault.project_id, holder_id=holder)
    assert opened.private_key == vault.key
    assert (await ada.client.get(f"{vault.path}/vault")).json()["my_share"] is None


async def test_a_vault_is_shared_with_members_who_have_that_key(
    app: FastAPI, office: Office, ada: SignedIn, bob: SignedIn, vault: Vault
) -> None:
    bobs = share_path(vault, bob.person.person_id)
    body = share_body(vault, bob.person.person_id)
    refused = await ada.client.put(bobs, json=body)
    assert (refused.status_code, refused.json()["detail"]) == (404, "Member not found")

    await join(office, vault.project_id, bob.person, Role.MEMBER)
    other = share_body(vault, bob.person.person_id, PrivateKey.generate())
    assert (await ada.client.put(bobs, json=other)).status_code == 409
    keyless = await sign_in(app, office, "eve")
    await join(office, vault.project_id, keyless.person, Role.MEMBER)
    eves = share_path(vault, keyless.person.person_id)
    assert (await ada.client.put(eves, json=body)).status_code == 409
    assert (await ada.client.get(f"{vault.path}/vault")).json()["shares"] == []

    assert (await bob.client.put(bobs, json=body)).status_code == 200
    deleted = await ada.client.delete(bobs)
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Vault share deleted"})
    assert (await ada.client.delete(bobs)).status_code == 404
    assert (await ada.client.get(f"{vault.path}/vault")).json()["shares"] == []


async def test_a_project_without_a_vault_shares_none(
    office: Office, ada: SignedIn, bob: SignedIn, vault: Vault
) -> None:
    await join(office, vault.project_id, bob.person, Role.MEMBER)
    await ada.client.patch(vault.path, json={"encryption_key": None})
    body = share_body(vault, bob.person.person_id)
    refused = await ada.client.put(share_path(vault, bob.person.person_id), json=body)
    assert refused.status_code == 409
    _, key = vault.issue()
    assert (await ada.client.post(f"{vault.path}/keys", json=key)).status_code == 409


@pytest.mark.parametrize(
    "fields",
    [
        {"sealed": "sk-in-the-open"},
        {"sealed": "bursar.share.v1."},
        {"sealed": "bursar.share.v1." + "A" * 500},
        {"voucher": "x"},
        {"public_key": ""},
    ],
)
async def test_a_share_in_another_form_is_refused_and_not_repeated(
    office: Office, ada: SignedIn, bob: SignedIn, vault: Vault, fields: dict[str, str]
) -> None:
    await join(office, vault.project_id, bob.person, Role.MEMBER)
    body = share_body(vault, bob.person.person_id) | fields
    refused = await ada.client.put(share_path(vault, bob.person.person_id), json=body)
    assert refused.status_code == 422
    assert "sk-in-the-open" not in refused.text


async def test_nobody_shares_with_somebody_who_does_not_exist(ada: SignedIn, vault: Vault) -> None:
    nobody = str(uuid.uuid4())
    refused = await ada.client.put(share_path(vault, nobody), json=share_body(vault, nobody))
    assert refused.status_code == 404
