"""The audit log: who changed what, who was not allowed, and no secret of anybody."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute

from bursar.domain.audit import AuditFilter
from bursar.domain.errors import StoreUnavailable
from bursar.memory import MemoryAuditLog
from bursar.vault import PrivateKey
from functions.admin.app import create_app
from functions.admin.audited import UNAUDITED
from tests.fakes.office import MASTER_KEY, Office
from tests.integration.admin.conftest import client_of
from tests.integration.admin.test_admin_handler import invoke, table
from tests.integration.admin.test_direct_invocation import command
from tests.integration.platform.direct import direct_project
from tests.integration.platform.people import PASSWORD, keyed_account

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from bursar.domain.audit import AuditEntry

__all__ = ["table"]


async def entries(admin: httpx2.AsyncClient, **query: object) -> list[dict[str, Any]]:
    answer = await admin.get("/v1/audit", params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_a_change_is_noted_with_who_what_and_the_answers_id(
    office: Office, admin: httpx2.AsyncClient
) -> None:
    made = await admin.post("/v1/keys", json={"user_id": "alice"})
    office.wait(seconds=1)
    gone = await admin.delete(f"/v1/keys/{made.json()['id']}")

    deleted, created = await entries(admin)

    assert created["route"] == "/v1/keys"
    assert deleted == {
        "request_id": gone.headers["x-request-id"],
        "timestamp": "2026-01-10T12:00:01Z",
        "actor_kind": "master_key",
        "actor_id": None,
        "actor_name": None,
        "method": "DELETE",
        "route": "/v1/keys/{key_id}",
        "ids": {"key_id": made.json()["id"]},
        "status": 204,
    }


async def test_reading_and_what_changed_nothing_are_not_noted(admin: httpx2.AsyncClient) -> None:
    await admin.get("/v1/keys")
    assert (await admin.delete("/v1/keys/none")).status_code == 404
    assert (await admin.post("/v1/budgets", json={"max_budget": -1})).status_code == 422
    assert (await admin.put("/v1/keys")).status_code == 405
    assert (await admin.post("/nowhere")).status_code == 404

    assert await entries(admin) == []


async def test_who_may_not_is_noted_without_anything_that_they_wrote(
    admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    for credential in ({}, {"x-api-key": "gw-" + "a" * 64}):
        refused = await anybody.delete("/v1/users/what-they-wrote", headers=credential)
        assert refused.status_code == 401

    for entry in await entries(admin):
        assert (entry["actor_kind"], entry["status"], entry["ids"]) == ("nobody", 401, {})
        assert entry["route"] == "/v1/users/{user_id}"


async def test_strangers_fill_the_log_only_so_far(
    office: Office, admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    for _ in range(70):
        await anybody.post("/v1/keys", json={})
    office.wait(minutes=1)
    await anybody.post("/v1/keys", json={})

    assert len(await entries(admin, actor="nobody", limit=1000)) == 61


async def test_people_are_noted_by_id_and_email(
    office: Office, app: FastAPI, admin: httpx2.AsyncClient
) -> None:
    ada = await _signed_in(app, admin, "ada@example.com")
    bob = await _signed_in(app, admin, "bob@example.com")
    project = (await ada.post("/api/v1/projects/", json={"name": "web"})).json()["id"]
    read_only = {"email": "bob@example.com", "role": "read_only"}
    assert (await ada.post(f"/api/v1/projects/{project}/members", json=read_only)).is_success
    office.wait(seconds=1)
    refused = await bob.post(f"/api/v1/projects/{project}/clients/", json={"name": "x"})
    assert refused.status_code == 403

    by_bob = await entries(admin, actor="bob@example.com")
    by_ada = await entries(admin, actor="ada@example.com")

    assert [(entry["route"], entry["status"]) for entry in by_bob] == [
        ("/api/v1/projects/{project_id}/clients/", 403),
        ("/api/v1/login/derived", 200),
    ]
    assert by_bob[0]["ids"] == {"project_id": project}
    assert {entry["route"] for entry in by_ada} == {
        "/api/v1/projects/{project_id}/members",
        "/api/v1/projects/",
        "/api/v1/login/derived",
    }
    assert {entry["actor_kind"] for entry in by_ada} == {"person"}


async def test_a_project_is_noted_once_it_has_proved_itself_and_its_reports_are_not(
    office: Office, app: FastAPI, admin: httpx2.AsyncClient
) -> None:
    direct = await direct_project(office, app)
    await direct.budget("100")
    async with await direct.client() as client:
        reported = await client.post("/api/v1/usage-events/", json=direct.event())
        wanted = {"amount": "0.5", "duration_sec": 60}
        leased = await client.post("/api/v1/leases/", json=wanted)
    assert (reported.status_code, leased.status_code) == (204, 201)

    found = await entries(admin, actor=direct.project_id)

    assert {entry["route"] for entry in found} == {"/api/v1/auth/token", "/api/v1/leases/"}
    assert {entry["actor_kind"] for entry in found} == {"project"}
    assert "/api/v1/auth/" not in {entry["route"] for entry in await entries(admin)}


async def _signed_in(app: FastAPI, admin: httpx2.AsyncClient, email: str) -> httpx2.AsyncClient:
    body = keyed_account(email, PrivateKey.generate())
    assert (await admin.post("/api/v1/accounts/", json=body)).status_code == 201
    proof = {"email": email, "login_value": body["login_value"]}
    answer = await admin.post("/api/v1/login/derived", json=proof)
    return client_of(app, authorization=f"Bearer {answer.json()['access_token']}")


async def test_an_aws_identity_is_noted_as_it_claims_to_be(dynoxide: str, table: str) -> None:
    *_, listed = invoke(
        dynoxide,
        table,
        command("POST", "/v1/budgets", {"max_budget": "2.50"}),
        command("GET", "/v1/audit"),
    )
    (entry,) = json.loads(listed["body"])["data"]
    assert (entry["actor_kind"], entry["actor_name"]) == ("aws", "arn:aws:ada")


async def test_pages_and_spans_narrow_the_list(office: Office, admin: httpx2.AsyncClient) -> None:
    for _ in range(3):
        await admin.post("/v1/budgets", json={"max_budget": 1})
        office.wait(days=1)

    first = (await admin.get("/v1/audit", params={"limit": 2})).json()
    rest = await entries(admin, limit=2, cursor=first["next_cursor"])
    since = await entries(admin, start="2026-01-11T00:00:00Z")
    until = await entries(admin, end="2026-01-11T00:00:00Z")

    assert (len(first["data"]), len(rest), len(since), len(until)) == (2, 1, 2, 1)
    assert until == rest


async def test_no_secret_of_any_request_gets_into_an_entry(
    office: Office, app: FastAPI, admin: httpx2.AsyncClient
) -> None:
    canary = "canary-7c1e"
    issued = (await admin.post("/v1/keys", json={"key_name": canary})).json()["key"]
    await admin.delete(f"/v1/users/{issued}")
    user = {"user_id": f"gw-{canary}", "metadata": {"password": canary}}
    assert (await admin.post("/v1/users", json=user)).is_success
    assert (await admin.delete(f"/v1/users/gw-{canary}")).is_success
    body = keyed_account("eve@example.com", PrivateKey.generate(), password=PASSWORD)
    assert (await admin.post("/api/v1/accounts/", json=body)).is_success
    proof = {"email": "eve@example.com", "login_value": body["login_value"]}
    token = (await admin.post("/api/v1/login/derived", json=proof)).json()["access_token"]
    async with client_of(app, authorization=f"Bearer {token}") as eve:
        await eve.post(f"/api/v1/projects/?secret={canary}", json={"name": canary})
        await eve.post("/api/v1/logout")

    written = [repr(entry) for entry in await _written(office)]

    assert len(written) >= 6
    secrets = (canary, issued, token, MASTER_KEY, PASSWORD, *_values(body))
    assert not [(secret, line) for line in written for secret in secrets if secret in line]
    assert any("(hidden)" in line for line in written)


def _values(body: dict[str, str]) -> list[str]:
    return [value for name, value in body.items() if name != "email"]


async def _written(office: Office) -> list[AuditEntry]:
    span = AuditFilter(office.now.replace(year=2025), office.now.replace(year=2027))
    return list((await office.services.audit_log.page(span, limit=1000)).entries)


class _Failing(MemoryAuditLog):
    async def record(self, entry: AuditEntry) -> None:
        raise StoreUnavailable("The store does not answer")


class _Hanging(MemoryAuditLog):
    async def record(self, entry: AuditEntry) -> None:
        await asyncio.sleep(3600)


@pytest.mark.parametrize("log", [_Failing(), _Hanging()], ids=["failing", "hanging"])
async def test_a_request_does_not_depend_on_its_entry_which_the_log_has_then(
    log: MemoryAuditLog, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bursar.services.admin_audit._WRITE_TIMEOUT_S", 0.01)
    office = Office(audit_log=log)
    app = create_app(office.services, office.platform)
    async with client_of(app, authorization=f"Bearer {MASTER_KEY}") as admin:
        made = await admin.post("/v1/budgets", json={"max_budget": 1})

    assert made.status_code == 200
    (line,) = [line for line in caplog.records if line.levelno == logging.ERROR]
    assert line.__dict__["audit"]["request_id"] == made.headers["x-request-id"]


async def test_a_change_that_failed_half_way_is_noted(admin: httpx2.AsyncClient) -> None:
    office = Office()

    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    office.services.directory.budgets.add = fail  # type: ignore[method-assign,assignment]
    office.services.directory.budgets.put = fail  # type: ignore[method-assign]
    app = create_app(office.services, office.platform)
    async with client_of(app, authorization=f"Bearer {MASTER_KEY}") as client:
        assert (await client.post("/v1/budgets", json={"max_budget": 1})).status_code == 500
        (entry,) = await entries(client)
    assert entry["status"] == 500


async def test_every_route_that_is_left_out_is_one(app: FastAPI) -> None:
    changing = {
        route.name
        for route in app.state.routes
        if isinstance(route, APIRoute) and (route.methods or set()) - {"GET", "HEAD"}
    }
    assert changing > UNAUDITED
