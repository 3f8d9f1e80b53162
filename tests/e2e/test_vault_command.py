"""Vaults through the `bursar` command, with all crypto on the administrator's side."""

from __future__ import annotations

import json
import stat
import uuid
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from bursar.vault import AnyLlmKey
from tests.e2e.deployment import MODEL
from tests.e2e.vault_command import VaultCommand

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.deployment import Deployment

PASSWORD = "correct horse battery staple"
SEALED_KEY = "sk-canary-sealed-on-the-client"


def _someone(served: Deployment, tmp_path: Path) -> VaultCommand:
    name = uuid.uuid4().hex[:8]
    email = f"{name}@example.com"
    return VaultCommand(tmp_path / name, served.gateway.url, email, PASSWORD)


@pytest.fixture
def ada(served: Deployment, tmp_path: Path) -> VaultCommand:
    """Somebody with an account, signed in."""
    bursar = _someone(served, tmp_path)
    recovery_key = bursar("account", "create", bursar.email)
    assert recovery_key.startswith("bursar-recovery-")
    bursar("account", "login", bursar.email)
    return bursar


def _project(bursar: VaultCommand) -> tuple[str, str]:
    """A project with a vault and OpenAI's key in it; its id and its ANY_LLM_KEY."""
    project = bursar("project", "create", f"web {uuid.uuid4().hex[:6]}")
    any_llm_key = bursar("vault", "create", project)
    bursar("vault", "seal", project, "openai", stdin=SEALED_KEY)
    return project, any_llm_key


def _chat(served: Deployment, key: str) -> httpx2.Response:
    body: dict[str, Any] = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 5,
    }
    headers = {"authorization": f"Bearer {key}"}
    url = f"{served.gateway.url}/v1/chat/completions"
    return httpx2.post(url, json=body, headers=headers, timeout=30)


def test_a_virtual_key_made_here_opens_the_vault_there(
    served: Deployment, ada: VaultCommand
) -> None:
    project, any_llm_key = _project(ada)
    virtual_key = ada("vault", "issue", project, "--name", "laptop")

    for key in (virtual_key, any_llm_key):
        answer = _chat(served, key)
        assert answer.status_code == 200, answer.text
        assert served.upstream.last.headers["authorization"] == f"Bearer {SEALED_KEY}"


def test_running_applications_go_on_through_every_rotation(
    served: Deployment, ada: VaultCommand
) -> None:
    project, any_llm_key = _project(ada)
    virtual_key = ada("vault", "issue", project)

    rotated_any_llm_key = ada("vault", "rotate", project)
    ada("vault", "seal", project, "openai", stdin=f"{SEALED_KEY}-2")
    key_id = _only_key(served, ada, project)
    rotated_virtual_key = ada("vault", "rotate-key", project, key_id)

    assert (
        AnyLlmKey.parse(any_llm_key).private_key != AnyLlmKey.parse(rotated_any_llm_key).private_key
    )
    for key in (virtual_key, rotated_virtual_key, rotated_any_llm_key):
        answer = _chat(served, key)
        assert answer.status_code == 200, answer.text


def test_another_member_opens_the_vault_once_it_is_shared(
    served: Deployment, ada: VaultCommand, tmp_path: Path
) -> None:
    project, _ = _project(ada)
    bob = _someone(served, tmp_path)
    bob("account", "create", bob.email)
    bob("account", "login", bob.email)
    assert bob.run("vault", "issue", project).returncode == 3
    _request(served, ada, "POST", f"/projects/{project}/members", email=bob.email, role="member")
    assert bob.run("vault", "issue", project).returncode == 4

    assert ada.run("vault", "share", project, bob.email).returncode == 1
    shown = ada.run("vault", "share", project, bob.email, "--yes")
    assert bob("account", "whoami").rpartition(" ")[2] in shown.stderr

    assert _chat(served, bob("vault", "issue", project)).status_code == 200


def test_a_lost_password_is_replaced_by_the_recovery_key_and_the_vault_stays(
    served: Deployment, tmp_path: Path
) -> None:
    eve = _someone(served, tmp_path)
    recovery_key = eve("account", "create", eve.email)
    eve("account", "login", eve.email)
    project, _ = _project(eve)
    fresh = {"BURSAR_RECOVERY_KEY": recovery_key, "BURSAR_NEW_PASSWORD": "another long password"}

    eve("account", "recover", eve.email, environ=fresh)

    assert eve.run("account", "login", eve.email).returncode == 4
    known = {"BURSAR_PASSWORD": "another long password"}
    eve("account", "login", eve.email, environ=known)
    assert _chat(served, eve("vault", "issue", project, environ=known)).status_code == 200


def test_a_changed_password_ends_sessions_and_opens_the_same_vault(
    served: Deployment, ada: VaultCommand
) -> None:
    project, _ = _project(ada)

    ada("account", "password", environ={"BURSAR_NEW_PASSWORD": "another long password"})

    assert ada.run("project", "list").returncode == 4
    known = {"BURSAR_PASSWORD": "another long password"}
    ada("account", "login", ada.email, environ=known)
    assert _chat(served, ada("vault", "issue", project, environ=known)).status_code == 200


def test_the_login_is_kept_for_its_owner_only_and_holds_no_password(
    ada: VaultCommand, tmp_path: Path
) -> None:
    (path,) = tmp_path.rglob("login.json")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PASSWORD not in path.read_text()
    assert set(json.loads(path.read_text())) == {"url", "email", "token"}


def test_errors_are_one_line_with_an_exit_code_of_their_own(
    served: Deployment, ada: VaultCommand, tmp_path: Path
) -> None:
    stranger = _someone(served, tmp_path)
    project, _ = _project(ada)

    assert stranger.run("project", "list").returncode == 4
    assert ada.run("vault", "create", "no such project").returncode == 3
    assert ada.run("vault", "create", project).returncode == 5
    assert ada.run("vault", "seal", project, "openai", stdin="").returncode == 2
    assert "Traceback" not in ada.said + stranger.said


def _only_key(served: Deployment, bursar: VaultCommand, project: str) -> str:
    (key,) = _request(served, bursar, "GET", f"/projects/{project}/keys")["data"]
    key_id: str = key["id"]
    return key_id


def _request(served: Deployment, bursar: VaultCommand, method: str, path: str, **body: str) -> Any:
    """Ask the platform API with the command's own session."""
    token = bursar.token()
    answer = httpx2.request(
        method,
        f"{served.gateway.url}/api/v1{path}",
        json=body or None,
        headers={"authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert not answer.is_error, answer.text
    return answer.json()
