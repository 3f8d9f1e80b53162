"""The vault and the platform in a deployed stack, with its roles' permissions alone."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.vault import AnyLlmKey, open_v1, seal_v1
from tests.fakes.otlp import Span, export

if TYPE_CHECKING:
    from tests.deployment.deployed import Deployed
    from tests.deployment.stack import Stack

SEALED = "sk-canary-sealed-for-the-deployed-stack"


class Vault:
    """A project of somebody's with OpenAI's key in it."""

    def __init__(self, stack: Stack) -> None:
        email = f"{uuid.uuid4().hex[:8]}@example.com"
        password = "correct horse battery staple"
        account = {"email": email, "password": password}
        assert stack.json("POST", "/api/v1/accounts/", account)["email"] == email
        self.stack = stack
        self.any_llm_key = AnyLlmKey.generate()
        self.token = self._log_in(email, password)
        project = {"name": "web", "encryption_key": str(self.any_llm_key.private_key.public)}
        self.project_id = self.ask("POST", "/projects/", project)["id"]
        sealed = seal_v1(SEALED, self.any_llm_key.private_key.public)
        key = {"project_id": self.project_id, "provider": "openai", "encrypted_key": sealed}
        self.ask("POST", "/provider-keys/", key)
        self.ask(
            "POST",
            f"/projects/{self.project_id}/budgets",
            {"budget_limit": 1, "spend_period": "monthly"},
        )
        price = {"input_price_per_million": 1, "output_price_per_million": 2}
        stack.json("POST", "/v1/pricing", {"model_key": "openai:fake", **price})

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.stack.json(method, f"/api/v1{path}", body, key=self.token)

    def project_token(self) -> str:
        """By proving that one can open the vault."""
        key = self.any_llm_key.private_key
        body = {"encryption_key": str(key.public)}
        sealed = self.stack.json("POST", "/api/v1/auth/", body)["encrypted_challenge"]
        solved = {"solved_challenge": open_v1(sealed, key)}
        token: str = self.stack.json("POST", "/api/v1/auth/token", solved)["access_token"]
        return token

    def usage(self) -> list[Any]:
        records: list[Any] = self.ask("GET", f"/projects/{self.project_id}/usage")["data"]
        return records

    def _log_in(self, email: str, password: str) -> str:
        form = f"username={email.replace('@', '%40')}&password={password.replace(' ', '+')}"
        answer = self.stack.send(
            "POST",
            "/api/v1/login/access-token",
            form.encode(),
            {"content-type": "application/x-www-form-urlencoded"},
        )
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token


def test_a_vaults_key_reaches_the_provider_and_its_projects_books(bursar: Deployed) -> None:
    vault = Vault(bursar.stack)
    messages = [{"role": "user", "content": "How are you?"}]
    body = {"model": "openai:fake", "messages": messages, "max_tokens": 5}

    answer = bursar.stack.ask("POST", "/v1/chat/completions", body, key=vault.any_llm_key.text())

    assert answer.status_code == 200, answer.text
    assert bursar.upstream.last.headers["authorization"] == f"Bearer {SEALED}"
    (record,) = vault.usage()
    assert Decimal(str(record["cost"])) > 0


def test_a_direct_client_fetches_its_key_and_reports_by_event_and_by_trace(
    bursar: Deployed,
) -> None:
    vault = Vault(bursar.stack)
    token = vault.project_token()

    sealed = bursar.stack.json("GET", "/api/v1/provider-keys/openai", key=token)
    event = {
        "id": str(uuid.uuid4()),
        "provider": "openai",
        "model": "fake",
        "data": {"input_tokens": "11", "output_tokens": "7"},
    }
    reported = bursar.stack.ask("POST", "/api/v1/usage-events/", event, key=token)
    traced = bursar.stack.send(
        "POST",
        "/v1/traces",
        export(Span(model="fake")),
        {"authorization": f"Bearer {token}", "content-type": "application/x-protobuf"},
    )

    assert open_v1(sealed["encrypted_key"], vault.any_llm_key.private_key) == SEALED
    assert reported.status_code == 204, reported.text
    assert traced.status_code == 200, traced.text
    endpoints = {record["endpoint"] for record in vault.usage()}
    assert endpoints == {"/api/v1/usage-events/", "/v1/traces"}
    lease = {"amount": "0.1", "duration_sec": 60}
    granted = bursar.stack.json("POST", "/api/v1/leases/", lease, key=token)
    closed = bursar.stack.json("POST", f"/api/v1/leases/{granted['id']}/close", key=token)
    assert closed["status"] == "closed"
