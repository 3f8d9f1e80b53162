"""People with an account, as an administrator makes them, and what they read beside any client."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.deployment import Deployment
    from tests.published_clients.library import Project

    Books = Callable[[Project], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can log in."""

    id: str
    email: str
    password: str


def account(deployment: Deployment) -> Account:
    """Make one with the master key."""
    email = f"{uuid.uuid4().hex[:12]}@example.org"
    password = f"correct horse {uuid.uuid4().hex}"
    made = deployment.gateway.admin(
        "POST", "/api/v1/accounts/", {"email": email, "password": password}
    )
    assert made["email"] == email
    return Account(made["id"], email, password)


def usage(deployment: Deployment, token: str, project_id: str) -> list[dict[str, Any]]:
    """A project's usage, newest first, as whoever owns it reads it: no client can."""
    answer = httpx2.get(
        f"{deployment.gateway.url}/api/v1/projects/{project_id}/usage",
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 200, answer.text
    records: list[dict[str, Any]] = answer.json()["data"]
    return records
