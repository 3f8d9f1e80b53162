"""Canaries: a whole life of a project, and then a search for every secret that was in it.

Provider keys, virtual keys, the vault's key, passwords, tokens and prompts are recognisable; they
go through gateway mode, direct mode, rotations and everything that can go wrong. Then every item
of the table, every log line, every metric and every error body is searched for them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bursar.vault import AnyLlmKey, open_v1
from tests.e2e.deployment import MODEL, PROVIDER_KEY
from tests.e2e.gateway_process import MASTER_KEY, ROOT
from tests.e2e.vault_command import VaultCommand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.deployment import Deployment

VAULT_KEY_CANARY = "sk-canary-sealed-in-the-vault-7d1f"
ROTATED_CANARY = "sk-canary-sealed-in-the-vault-after-all-93ab"
PROMPT = "prompt-canary-of-the-platform-c0ffee"
PASSWORD = "password-canary correct horse"
NEW_PASSWORD = "password-canary battery staple"

_INVOKE = """
import json, sys
from importlib import import_module
from types import SimpleNamespace
module, events = json.load(sys.stdin)
handler = import_module(module).handler
for number, event in enumerate(events):
    context = SimpleNamespace(
        aws_request_id=f"invocation-{number}", get_remaining_time_in_millis=lambda: 30_000,
        invoked_function_arn="arn", function_name="f", function_version="1",
        memory_limit_in_mb=128, log_group_name="g", log_stream_name="s",
    )
    handler(event, context)
"""


@dataclass
class Evidence:
    """What could be seen of a run, by where it was seen, and what must not be in it."""

    secrets: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def keep(self, name: str, secret: str) -> str:
        """Remember a secret, and give it back."""
        self.secrets[name] = secret
        return secret

    def answered(self, answer: httpx2.Response) -> httpx2.Response:
        """Remember an error's body and every answer's headers."""
        self.errors.append(repr(answer.headers))
        if answer.is_error:
            self.errors.append(answer.text)
        return answer


@pytest.fixture(scope="module")
def talkative(deployment: Deployment) -> Iterator[Deployment]:
    with deployment.running(log_level="DEBUG", request_timeout_s="2"):
        yield deployment


@pytest.fixture(scope="module")
def evidence(talkative: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Everything that a run of the platform leaves behind."""
    found = Evidence()
    with httpx2.Client(base_url=talkative.gateway.url, timeout=30) as client:
        run = _Run(talkative, found, tmp_path_factory.mktemp("home"), client)
        run.administer()
        run.complete_in_gateway_mode()
        run.report_in_direct_mode()
        run.go_wrong()
        run.rotate()
        run.complete_in_gateway_mode()
    found.seen["metrics and logs of the functions"] = run.lines_of_the_functions()
    found.seen["the table"] = json.dumps(list(talkative.books.items()), default=str)
    found.seen["the gateway's logs"] = talkative.gateway.stdout + talkative.gateway.stderr
    found.seen["error bodies and headers"] = "\n".join(found.errors)
    found.seen["what the books tell"] = run.told()
    return found


class _Run:
    def __init__(
        self, deployment: Deployment, found: Evidence, home: Path, client: httpx2.Client
    ) -> None:
        self._deployment = deployment
        self._found = found
        email = f"{uuid.uuid4().hex[:8]}@example.com"
        self._bursar = VaultCommand(home, deployment.gateway.url, email, PASSWORD)
        self._client = client
        found.keep("the password", PASSWORD)
        found.keep("the new password", NEW_PASSWORD)
        found.keep("the master key", MASTER_KEY)
        found.keep("the sealed provider key", VAULT_KEY_CANARY)
        found.keep("the rotated provider key", ROTATED_CANARY)
        found.keep("the deployment's provider key", PROVIDER_KEY)
        found.keep("the prompt", PROMPT)

    def administer(self) -> None:
        bursar, keep = self._bursar, self._found.keep
        keep("the recovery key", bursar("account", "create", bursar.email))
        bursar("account", "login", bursar.email)
        self._project = bursar("project", "create", "canaries")
        self._keep_vault_key("the vault's key", bursar("vault", "create", self._project))
        bursar("vault", "seal", self._project, "openai", "--format", "1", stdin=VAULT_KEY_CANARY)
        self._virtual_key = keep("the virtual key", bursar("vault", "issue", self._project))
        self._api("POST", f"/projects/{self._project}/clients/", name="web", is_default=True)
        budget = {"budget_limit": 100, "spend_period": "daily"}
        self._api("POST", f"/projects/{self._project}/budgets", **budget)

    def complete_in_gateway_mode(self) -> None:
        for key in (self._virtual_key, self._any_llm_key):
            for stream in (False, True):
                answer = self._chat(key, stream=stream)
                assert answer.status_code == 200, answer.text

    def report_in_direct_mode(self) -> None:
        token = self._project_token()
        bearer = {"authorization": f"Bearer {token}", "AnyLLM-Client-Name": "web"}
        sealed = self._client.get("/api/v1/provider-keys/openai", headers=bearer).json()
        assert open_v1(sealed["encrypted_key"], self._vault_key) == VAULT_KEY_CANARY
        event = {
            "provider_key_id": sealed["id"],
            "provider": "openai",
            "model": "fake",
            "id": str(uuid.uuid4()),
            "client_name": "web",
            "prompt": PROMPT,
            "messages": [{"role": "user", "content": PROMPT}],
            "extra_metadata": {"answer": PROMPT, PROMPT: 1},
            "data": {
                "input_tokens": "11",
                "output_tokens": "7",
                "completion": PROMPT,
                "performance": {"total_duration_ms": 12.5, "note": PROMPT},
            },
        }
        answer = self._client.post("/api/v1/usage-events/", json=event, headers=bearer)
        assert answer.is_success, answer.text
        headers = {**bearer, "content-type": "application/x-protobuf"}
        answer = self._client.post("/v1/traces", content=_spans(), headers=headers)
        assert answer.is_success, answer.text
        lease = {"amount": "0.50", "duration_sec": 600, "client_name": "web", "note": PROMPT}
        answer = self._client.post("/api/v1/leases/", json=lease, headers=bearer)
        assert answer.status_code == 201, answer.text
        lease_id = answer.json()["id"]
        under = {**event, "id": str(uuid.uuid4()), "lease_id": lease_id}
        assert self._client.post("/api/v1/usage-events/", json=under, headers=bearer).is_success
        answer = self._client.post(f"/api/v1/leases/{lease_id}/close", headers=bearer)
        assert answer.is_success, answer.text

    def go_wrong(self) -> None:
        answered, client = self._found.answered, self._client
        for behaviour in ({"status": 401}, {"status": 500}, {"fault": "rst"}, {"hang": True}):
            answered(self._chat(self._virtual_key, fake=behaviour))
            answered(self._chat(self._virtual_key, stream=True, fake=behaviour))
        for wrong in (self._virtual_key[:-1], self._any_llm_key[:-3], self._any_llm_key + "x"):
            answered(self._chat(wrong))
            answered(client.get("/api/v1/projects/", headers={"authorization": f"Bearer {wrong}"}))
        answered(self._chat(self._virtual_key, model=f"openai:{VAULT_KEY_CANARY}"))
        for secret in (PASSWORD, VAULT_KEY_CANARY, self._any_llm_key, self._virtual_key):
            for path in ("/api/v1/accounts/", "/api/v1/auth/", "/api/v1/auth/token"):
                answered(client.post(path, json={"encryption_key": [secret], "password": [secret]}))
            body = {"project_id": self._project, "provider": secret, "encrypted_key": secret}
            answered(self._api("POST", "/provider-keys/", **body))
            answered(self._api("POST", f"/projects/{self._project}/keys", digest=secret))
        form = {"username": self._bursar.email, "password": PASSWORD + "x"}
        answered(client.post("/api/v1/login/access-token", data=form))
        answered(client.post("/api/v1/accounts/", content=PASSWORD.encode()))
        assert len(self._found.errors) > 40

    def rotate(self) -> None:
        bursar, keep = self._bursar, self._found.keep
        rotated = bursar("vault", "rotate", self._project)
        self._keep_vault_key("the rotated vault's key", rotated)
        bursar("vault", "seal", self._project, "openai", "--format", "1", stdin=ROTATED_CANARY)
        (key,) = self._api("GET", f"/projects/{self._project}/keys").json()["data"]
        changed = bursar("vault", "rotate-key", self._project, key["id"])
        self._virtual_key = keep("the rotated virtual key", changed)
        keep("the session's token", bursar.token())
        bursar("account", "password", environ={"BURSAR_NEW_PASSWORD": NEW_PASSWORD})

    def lines_of_the_functions(self) -> str:
        """What the Lambda functions print when they serve the same requests."""
        chat = json.loads((ROOT / "events" / "rest-chat.json").read_text())
        body = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 3}
        keys = (self._virtual_key, self._any_llm_key, self._any_llm_key[:-2])
        events = [
            {
                **chat,
                "headers": {"Authorization": f"Bearer {key}"},
                "multiValueHeaders": None,
                "body": json.dumps(body | {"fake": fake}),
            }
            for key in keys
            for fake in ({}, {"status": 401}, {"fault": "rst"})
        ]
        lines = self._printed("functions.proxy.handler", events)
        assert '"_aws"' in lines
        admin = json.loads((ROOT / "events" / "rest-admin-usage.json").read_text())
        wrong = {**admin, "headers": {"Authorization": f"Bearer {self._any_llm_key}"}}
        return lines + self._printed("functions.admin.handler", [admin, wrong])

    def told(self) -> str:
        """The project's usage as the administrator reads it."""
        return json.dumps(self._deployment.gateway.admin("GET", "/v1/usage?limit=1000"))

    def _printed(self, module: str, events: list[Any]) -> str:
        environ = self._deployment.gateway.environ
        done = subprocess.run(
            [sys.executable, "-c", _INVOKE],
            input=json.dumps([module, events]),
            env={**environ, "BURSAR_LOG_LEVEL": "DEBUG", "BURSAR_REQUEST_TIMEOUT_S": "2"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def _keep_vault_key(self, name: str, text: str) -> None:
        self._any_llm_key = self._found.keep(name, text)
        self._vault_key = AnyLlmKey.parse(text).private_key
        encoded = text.rpartition("-")[2]
        self._found.keep(f"{name}, its private half", encoded)
        self._found.keep(f"{name}, its private half in hex", b64decode(encoded).hex())

    def _project_token(self) -> str:
        body = {"encryption_key": str(self._vault_key.public)}
        sealed = self._client.post("/api/v1/auth/", json=body).json()["encrypted_challenge"]
        solved = self._found.keep("a solved challenge", open_v1(sealed, self._vault_key))
        answer = self._client.post("/api/v1/auth/token", json={"solved_challenge": solved})
        token: str = answer.json()["access_token"]
        return self._found.keep("a project's token", token)

    def _chat(self, key: str, **fields: Any) -> httpx2.Response:
        body = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 3}
        headers = {"authorization": f"Bearer {key}"}
        return self._client.post("/v1/chat/completions", json=body | fields, headers=headers)

    def _api(self, method: str, path: str, **body: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self._bursar.token()}"}
        return self._client.request(method, f"/api/v1{path}", json=body or None, headers=headers)


def _spans() -> bytes:
    """What a newer SDK sends, with everything in it that must not be kept."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    scope = resource.scope_spans.add()
    scope.scope.name = "any-llm"
    for name in ("llm.request", f"application span {PROMPT}"):
        span = scope.spans.add()
        span.name = name
        span.trace_id, span.span_id = uuid.uuid4().bytes, uuid.uuid4().bytes[:8]
        span.start_time_unix_nano, span.end_time_unix_nano = 10**18, 10**18 + 10**9
        texts = {
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "fake",
            "gen_ai.conversation.id": PROMPT,
            "anyllm.user_session_label": PROMPT,
            "gen_ai.prompt": PROMPT,
            "error.type": PROMPT,
        }
        for key, value in texts.items():
            attribute = span.attributes.add()
            attribute.key = key
            attribute.value.string_value = value
        for key, count in {"input": 11, "output": 7}.items():
            attribute = span.attributes.add()
            attribute.key = f"gen_ai.usage.{key}_tokens"
            attribute.value.int_value = count
        event = span.events.add()
        event.name = PROMPT
    encoded: bytes = request.SerializeToString()
    return encoded


def test_the_run_left_its_traces_where_they_belong(evidence: Evidence) -> None:
    """A search that finds nothing says little unless there is something to search."""
    table, told = evidence.seen["the table"], evidence.seen["what the books tell"]
    assert "PROVIDER_KEY#" in table
    assert "/api/v1/usage-events/" in told
    assert "/v1/traces" in told
    assert "/v1/chat/completions" in told
    assert len(evidence.secrets) > 15
    assert all(len(text) > 100 for text in evidence.seen.values())


def test_no_secret_and_no_prompt_is_in_anything_that_can_be_seen(evidence: Evidence) -> None:
    found = [
        f"{name} in {where}"
        for where, text in evidence.seen.items()
        for name, secret in evidence.secrets.items()
        if secret in _without_the_callers_model(text)
    ]
    assert found == []


def _without_the_callers_model(text: str) -> str:
    """A refusal names the model that was asked for, and the command that gives it a price."""
    model = f"openai:{VAULT_KEY_CANARY}"
    return text.replace(f"Model '{model}'", "").replace(f"bursar prices set {model} ", "")
