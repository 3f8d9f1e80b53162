"""Who is let in, under which header, and how soon no longer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.e2e.deployment import MODEL
from tests.e2e.gateway_process import MASTER_KEY, NO_TLS, until

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment, Holder

BODY = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
# In the order in which they decide.
BEARER_HEADERS = ("X-AnyLLM-Key", "AnyLLM-Key", "Otari-Key", "Authorization")
STATED_S = 5.0


@pytest.fixture(scope="module")
def holder(served: Deployment) -> Holder:
    return served.holder()


def _ask(deployment: Deployment, headers: dict[str, str], **fields: Any) -> httpx2.Response:
    return httpx2.post(
        f"{deployment.gateway.url}/v1/chat/completions",
        json={**BODY, **fields},
        headers=headers,
        timeout=30,
        verify=NO_TLS,
    )


def _bearer(holder: Holder, name: str = "Authorization") -> dict[str, str]:
    return {name: f"Bearer {holder.key}"}


@pytest.mark.parametrize("name", BEARER_HEADERS)
def test_each_bearer_header_lets_a_key_in_in_any_case(
    served: Deployment, holder: Holder, name: str
) -> None:
    assert _ask(served, _bearer(holder, name)).status_code == 200
    assert _ask(served, _bearer(holder, name.lower())).status_code == 200


def test_the_raw_header_lets_both_kinds_of_keys_in(served: Deployment, holder: Holder) -> None:
    assert _ask(served, {"x-api-key": holder.key}).status_code == 200
    by_master = _ask(served, {"x-api-key": MASTER_KEY}, user=holder.user_id)
    assert by_master.status_code == 200
    assert served.usage(holder)[0]["api_key_id"] is None


@pytest.mark.parametrize("at", range(len(BEARER_HEADERS)))
def test_an_earlier_header_decides_even_when_it_is_malformed(
    served: Deployment, holder: Holder, at: int
) -> None:
    later = [*BEARER_HEADERS[at + 1 :], "x-api-key"]
    good = {name: holder.key if name == "x-api-key" else f"Bearer {holder.key}" for name in later}
    answer = _ask(served, {BEARER_HEADERS[at]: holder.key, **good})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Invalid header format. Expected 'Bearer <token>'"
    wrong = _ask(served, {BEARER_HEADERS[at]: "Bearer gw-" + "x" * 64, **good})
    assert wrong.json()["detail"] == "Invalid API key"
    right = _ask(served, {**_bearer(holder, BEARER_HEADERS[at]), **dict.fromkeys(later, "no")})
    assert right.status_code == 200


def test_a_malformed_key_is_told_its_format(served: Deployment) -> None:
    answer = _ask(served, {"authorization": "Bearer sk-proj-something"})
    assert answer.status_code == 401
    assert "must start with 'gw-'" in answer.json()["detail"]
    assert "sk-proj" not in answer.text


def test_the_master_key_must_say_for_whom(served: Deployment) -> None:
    answer = _ask(served, {"authorization": f"Bearer {MASTER_KEY}"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "user"
    unknown = _ask(served, {"authorization": f"Bearer {MASTER_KEY}"}, user="nobody-of-this-name")
    assert unknown.status_code == 404


def test_a_virtual_key_administers_nothing(served: Deployment, holder: Holder) -> None:
    for path in ("keys", "users", "budgets", "usage"):
        answer = httpx2.get(
            f"{served.gateway.url}/v1/{path}", headers=_bearer(holder), timeout=30, verify=NO_TLS
        )
        assert answer.status_code == 401
        assert answer.json()["detail"] == "Invalid master key"


def test_what_is_taken_back_ends_within_the_stated_seconds(served: Deployment) -> None:
    """Several at once, because each takes its five seconds."""
    gone, paused, blocked = (served.holder() for _ in range(3))
    all_of_them = (gone, paused, blocked)
    assert {_ask(served, _bearer(one)).status_code for one in all_of_them} == {200}
    admin = served.gateway.admin
    admin("DELETE", f"/v1/keys/{gone.key_id}")
    admin("PATCH", f"/v1/keys/{paused.key_id}", {"is_active": False})
    admin("PATCH", f"/v1/users/{blocked.user_id}", {"blocked": True})
    taken_back = last_served = time.monotonic()

    def are_refused() -> bool:
        nonlocal last_served
        sent = time.monotonic()
        statuses = [_ask(served, _bearer(one)).status_code for one in all_of_them]
        last_served = sent if 200 in statuses else last_served
        return statuses == [401, 401, 403]

    assert until(are_refused, 4 * STATED_S, pause_s=0.1)
    assert last_served - taken_back <= STATED_S
    assert _ask(served, _bearer(paused)).json()["detail"] == "API key is inactive"
    assert _ask(served, _bearer(blocked)).json()["detail"] == f"User '{blocked.user_id}' is blocked"


def test_a_rotated_key_and_its_successor_both_work_for_the_grace_period(
    served: Deployment,
) -> None:
    old = served.holder()
    path = f"/v1/keys/{old.key_id}/rotate"
    new = served.gateway.admin("POST", path, {"grace_period_sec": 60})["key"]
    assert _ask(served, _bearer(old)).status_code == 200
    assert _ask(served, {"authorization": f"Bearer {new}"}).status_code == 200
    newest = served.gateway.admin("POST", path, {})["key"]
    assert _ask(served, {"authorization": f"Bearer {newest}"}).status_code == 200
    third = served.key_of(old.user_id)
    successor = served.gateway.admin("POST", f"/v1/keys/{third.key_id}/rotate", {})["key"]
    assert _ask(served, _bearer(third)).status_code == 401
    assert _ask(served, {"authorization": f"Bearer {successor}"}).status_code == 200
