"""Who changed what, by command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.e2e.command import Command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.deployment import Deployment


@pytest.fixture
def bursar(served: Deployment, tmp_path: Path) -> Command:
    return Command(tmp_path / "home", served.gateway.url)


def test_a_change_is_in_the_list_at_once(served: Deployment, bursar: Command) -> None:
    holder = served.holder()
    bursar("keys", "delete", holder.key_id, "--yes")

    newest = bursar.json("audit", "list", "--limit", "1")
    table = bursar("audit", "list", "--since", "1h")

    (entry,) = newest
    assert (entry["method"], entry["route"], entry["status"]) == (
        *("DELETE", "/v1/keys/{key_id}", 204),
    )
    assert entry["ids"] == {"key_id": holder.key_id}
    heads, first, *_ = table.splitlines()
    assert heads.split() == ["TIME", "WHO", "DID", "WHERE", "ANSWER", "REQUEST"]
    assert f"master key  DELETE  /v1/keys/{holder.key_id}" in first
    assert entry["request_id"] in first
    assert holder.key not in table


def test_who_was_not_allowed_is_found_by_actor(served: Deployment, bursar: Command) -> None:
    url = f"{served.gateway.url}/v1/budgets"
    refused = httpx2.post(url, json={}, headers={"x-api-key": "gw-wrong"}, timeout=30)
    assert refused.status_code == 401

    rows = bursar.run("audit", "list", "--actor", "nobody", "-o", "csv").rows

    assert refused.headers["x-request-id"] in [row["request_id"] for row in rows]
    assert {row["status"] for row in rows} == {"401"}
    assert bursar.json("audit", "list", "--actor", "ada@example.com") == []


def test_a_span_before_anything_happened_is_empty(served: Deployment, bursar: Command) -> None:
    served.holder()

    assert bursar.json("audit", "list", "--until", "1h") == []
    assert bursar.run("audit", "list", "--since", "soon").exit_code == 2
