from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.projects import key_holder, project_user_id
from tests.integration.platform.rig import Vault, made, new_vault, sign_in

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from bursar.domain.keys import VirtualKey
    from bursar.services.platform.issuing import IssuedForVault
    from tests.fakes.office import Office


@pytest.fixture
async def ada(app: FastAPI, office: Office) -> httpx2.AsyncClient:
    return (await sign_in(app, office, "ada")).client


@pytest.fixture
async def vault(ada: httpx2.AsyncClient) -> Vault:
    return await new_vault(ada)


@pytest.fixture
def path(vault: Vault) -> str:
    return f"{vault.path}/keys"


async def issued(
    client: httpx2.AsyncClient, vault: Vault, **fields: Any
) -> tuple[IssuedForVault, dict[str, Any]]:
    made_here, body = vault.issue()
    return made_here, await made(client, f"{vault.path}/keys", body | fields)


async def found(office: Office, digest: str) -> VirtualKey | None:
    """The record that vouches for a digest now, as a gateway finds it."""
    directory = office.services.directory
    key_id = await directory.key_id_of(digest)
    key = None if key_id is None else await directory.keys.get(key_id)
    if key is not None:
        key.check_usable(digest, office.now)
    return key


async def has_share(office: Office, vault: Vault, digest: str) -> bool:
    shares = office.platform.platform.shares(vault.project_id)
    return await shares.get(key_holder(digest)) is not None


async def test_a_key_is_entered_by_what_the_gateway_may_know_of_it(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    web = await made(ada, f"{vault.path}/clients/", {"name": "web"})
    fields = {
        "key_name": "laptop",
        "client_id": web["id"],
        "expires_at": "2027-01-01T00:00:00Z",
        "allowed_models": ["openai:gpt-4o*"],
        "rate_limit_rpm": 60,
        "rate_limit_tpm": 1000,
    }
    key, record = await issued(ada, vault, **fields)
    assert uuid.UUID(record["id"])
    assert record == {
        "id": record["id"],
        "project_id": vault.project_id,
        **fields,
        "expires_at": "2027-01-01T00:00:00.000000Z",
        "is_active": True,
        "created_at": "2026-01-10T12:00:00.000000Z",
        "last_used_at": None,
        "previous_key_valid_until": None,
    }
    assert (await ada.get(f"{path}/{record['id']}")).json() == record
    assert (await ada.get(path)).json() == {"data": [record], "count": 1}
    stored = await found(office, key.digest)
    assert stored is not None
    assert stored.user_id == project_user_id(vault.project_id)
    assert (stored.project_id, stored.client_id) == (vault.project_id, web["id"])
    assert await has_share(office, vault, key.digest)
    assert key.virtual_key not in repr(stored)


async def test_only_the_projects_own_keys_are_listed(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office, admin: httpx2.AsyncClient
) -> None:
    other = await new_vault(ada, "other")
    _, theirs = await issued(ada, other)
    ids = []
    for _ in range(3):
        office.wait(seconds=1)
        ids.append((await issued(ada, vault))[1]["id"])
    deployments_own = (await admin.post("/v1/keys", json={})).json()

    page = (await ada.get(path, params={"skip": 1, "limit": 1})).json()
    assert ([key["id"] for key in page["data"]], page["count"]) == ([ids[1]], 3)
    for key_id in (theirs["id"], deployments_own["id"], "no-such-key"):
        refused = await ada.get(f"{path}/{key_id}")
        assert (refused.status_code, refused.json()["detail"]) == (404, "Virtual key not found")


async def test_a_digest_is_used_once(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    _, body = vault.issue()
    record = await made(ada, path, body)
    assert (await ada.post(path, json=body)).status_code == 409
    other = await new_vault(ada, "other")
    assert (await ada.post(f"{other.path}/keys", json=body)).status_code == 409
    assert not await has_share(office, other, body["digest"])
    again = {"digest": body["digest"], "share": body["share"]}
    assert (await ada.post(f"{path}/{record['id']}/rotate", json=again)).status_code == 409
    assert await found(office, body["digest"]) is not None


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"digest": "x"}, 422),
        ({"digest": "A" * 64}, 422),
        ({"digest": "a" * 63}, 422),
        ({"share": None}, 422),
        ({"share": {"public_key": "A" * 43 + "="}}, 400),
        ({"share": {"sealed": "in the open"}}, 422),
        ({"client_id": str(uuid.UUID(int=1))}, 404),
        ({"rate_limit_rpm": 0}, 422),
        ({"allowed_models": ["gpt-4o"]}, 422),
    ],
)
async def test_a_key_that_could_not_work_is_not_entered(
    ada: httpx2.AsyncClient, vault: Vault, office: Office, fields: dict[str, Any], status: int
) -> None:
    _, body = vault.issue()
    path = f"{vault.path}/keys"
    merged = {
        name: {**body[name], **value} if isinstance(value, dict) else value
        for name, value in fields.items()
    }
    assert (await ada.post(path, json=body | merged)).status_code == status
    assert (await ada.get(path)).json()["count"] == 0
    assert not await has_share(office, vault, body["digest"])


async def test_a_key_is_changed(ada: httpx2.AsyncClient, vault: Vault, path: str) -> None:
    web = await made(ada, f"{vault.path}/clients/", {"name": "web"})
    _, record = await issued(ada, vault, key_name="laptop", rate_limit_rpm=5)
    own = f"{path}/{record['id']}"
    changed = (await ada.patch(own, json={"is_active": False, "client_id": web["id"]})).json()
    assert changed == {**record, "is_active": False, "client_id": web["id"]}
    cleared = {"key_name": None, "client_id": None, "rate_limit_rpm": None, "is_active": None}
    changed = (await ada.patch(own, json=cleared)).json()
    assert changed == {**record, **cleared, "is_active": False}
    unknown = await ada.patch(own, json={"client_id": str(uuid.uuid4())})
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "Client not found")


async def test_a_rotated_key_works_by_both_texts_until_its_grace_is_over(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    first, record = await issued(ada, vault)
    second, body = vault.issue()
    rotated = await ada.post(
        f"{path}/{record['id']}/rotate", json={**body, "grace_period_sec": 3600}
    )
    assert rotated.status_code == 200
    assert rotated.json() == {**record, "previous_key_valid_until": "2026-01-10T13:00:00.000000Z"}
    for digest in (first.digest, second.digest):
        assert await found(office, digest) is not None
        assert await has_share(office, vault, digest)

    third, body = vault.issue()
    await ada.post(f"{path}/{record['id']}/rotate", json={**body, "grace_period_sec": 60})
    assert await found(office, first.digest) is None
    assert not await has_share(office, vault, first.digest)
    for digest in (second.digest, third.digest):
        assert await found(office, digest) is not None

    last, body = vault.issue()
    bare = (await ada.post(f"{path}/{record['id']}/rotate", json=body)).json()
    assert bare["previous_key_valid_until"] is None
    for digest in (second.digest, third.digest):
        assert await found(office, digest) is None
        assert not await has_share(office, vault, digest)
    assert await found(office, last.digest) is not None


async def test_a_deleted_key_is_found_no_more_and_shares_nothing(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    first, record = await issued(ada, vault)
    second, body = vault.issue()
    await ada.post(f"{path}/{record['id']}/rotate", json={**body, "grace_period_sec": 3600})
    deleted = await ada.delete(f"{path}/{record['id']}")
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Virtual key deleted"})
    for digest in (first.digest, second.digest):
        assert await found(office, digest) is None
        assert not await has_share(office, vault, digest)
    assert (await ada.delete(f"{path}/{record['id']}")).status_code == 404


async def test_the_deployments_keys_show_their_project_and_leave_rotation_to_it(
    ada: httpx2.AsyncClient, vault: Vault, office: Office, admin: httpx2.AsyncClient
) -> None:
    key, record = await issued(ada, vault)
    shown = (await admin.get(f"/v1/keys/{record['id']}")).json()
    assert (shown["project_id"], shown["client_id"]) == (vault.project_id, None)
    assert shown["user_id"] == project_user_id(vault.project_id)
    assert (await admin.post(f"/v1/keys/{record['id']}/rotate")).status_code == 409
    assert await found(office, key.digest) is not None
