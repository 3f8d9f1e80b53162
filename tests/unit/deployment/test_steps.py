"""A deployment from its first command to a curl line that works, with all but AWS itself.

The stack's API is the gateway of this process, and SAM only says what it was told.
"""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.deployment import kept
from infra.deployment.gateway import Gateway, GatewayRefused
from infra.deployment.steps import Deployment, Wanted
from tests.engines import ROOT
from tests.fakes.http_server import Exchange, HttpServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROVIDER_KEY = "sk-canary-0123456789"


class Management:
    """The few answers of a management API that a first deployment asks for."""

    def __init__(self) -> None:
        self.prices: dict[str, Any] = {}
        self.asked: list[tuple[str, str, str]] = []

    async def __call__(self, exchange: Exchange) -> None:
        request = exchange.request
        method, path = request.method, request.path
        self.asked.append((method, path, request.headers.get("authorization", "")))
        status, answer = self._answer(method, path, request.body)
        await exchange.answer(status, {}, json.dumps(answer).encode())

    def _answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        content = json.loads(body) if body else {}
        if path.startswith("/v1/pricing/"):
            return (200, {}) if path.removeprefix("/v1/pricing/") in self.prices else (404, {})
        if path == "/v1/pricing":
            self.prices[content["model_key"]] = content
        if path == "/v1/budgets":
            assert content["max_budget"] > 0
        if path == "/v1/keys":
            assert content["budget_id"] == "b-1"
        return 200, {"budget_id": "b-1", "key": f"gw-{len(self.asked)}", "method": method}

    def count(self, path: str) -> int:
        return sum(1 for method, asked, _ in self.asked if (method, asked) == ("POST", path))


@dataclass
class MadeUpAccount:
    """One region of AWS with at most one stack in it."""

    url: str
    region: str = "eu-central-1"
    stack: str | None = None
    provider_keys: dict[str, str] = field(default_factory=dict)

    def outputs(self, stack: str) -> Mapping[str, str] | None:
        if stack != self.stack:
            return None
        return {"ApiUrl": self.url, "ProviderKeysPath": f"/bursar/{stack}/providers"}

    def keep_provider_key(self, path: str, provider: str, api_key: str) -> None:
        self.provider_keys[f"{path}/{provider}/api_key"] = api_key


@dataclass
class Desk:
    """An administrator's machine: what was run and said there."""

    root: Path
    account: MadeUpAccount
    management: Management
    ran: list[list[str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def run(self, command: Sequence[str]) -> None:
        self.ran.append(list(command))
        if "deploy" in command:
            self.account.stack = command[command.index("--stack-name") + 1]

    def deploy(self, environment: str = "dev", **wanted: Any) -> None:
        self.ran.clear()
        self.said.clear()
        deployment = Deployment(self.root, self.account, self.run, self.said.append)
        deployment.carry_out(Wanted(environment, **wanted))

    @property
    def kept(self) -> kept.Kept:
        return kept.load(self.root / ".bursar" / "bursar-dev.json")

    @property
    def parameters(self) -> dict[str, str]:
        deploy = self.ran[-1]
        given = deploy[deploy.index("--parameter-overrides") + 1 :]
        return dict(it.split("=", 1) for it in given)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "functions/server").mkdir(parents=True)
    shutil.copy(ROOT / "samconfig.toml", tmp_path)
    shutil.copy(ROOT / "functions/server/first_models.json", tmp_path / "functions/server")
    management = Management()
    with HttpServer(management) as server:
        yield Desk(tmp_path, MadeUpAccount(server.origin), management)


def test_a_fresh_stack_gets_a_digest_and_answers_a_line_that_can_be_pasted(desk: Desk) -> None:
    desk.deploy()

    master_key = desk.kept.master_key or ""
    assert [it[1] for it in desk.ran] == ["build", "deploy"]
    assert desk.parameters["MasterKeyDigest"] == kept.digest_of(master_key)
    assert desk.parameters["MockProvider"] == "true"
    assert desk.management.asked[-1][2] == f"Bearer {master_key}"
    words = shlex.split(desk.said[-1].partition("\n\n")[2])
    assert words[0] == "curl"
    assert f"Authorization: Bearer {desk.kept.virtual_key}" in words
    assert json.loads(words[-1])["model"] == "mock:hello"
    assert "mock:hello" in desk.management.prices


def test_the_master_key_is_nowhere_but_in_its_file(desk: Desk) -> None:
    desk.deploy(provider="openai", provider_key=PROVIDER_KEY)
    everything = repr(desk.ran) + repr(desk.said)
    assert desk.kept.master_key
    assert desk.kept.master_key not in everything
    assert PROVIDER_KEY not in everything


def test_a_providers_key_goes_to_the_stacks_parameters_and_the_catalogue_prices_its_models(
    desk: Desk,
) -> None:
    desk.deploy(provider="openai", provider_key=PROVIDER_KEY)
    assert desk.account.provider_keys == {
        "/bursar/bursar-dev/providers/openai/api_key": PROVIDER_KEY
    }
    assert "MockProvider" not in desk.parameters
    assert not desk.management.prices
    assert json.loads(shlex.split(desk.said[-1])[-1])["model"].startswith("openai:")


def test_a_second_run_upgrades_and_changes_no_key(desk: Desk) -> None:
    desk.deploy()
    before = desk.kept
    desk.management.prices["mock:hello"] = "set by hand"

    desk.deploy()

    assert [it[1] for it in desk.ran] == ["build", "deploy"]
    assert "MasterKeyDigest" not in desk.parameters
    assert "MockProvider" not in desk.parameters
    assert desk.kept == before
    assert desk.management.count("/v1/keys") == 1
    assert desk.management.prices["mock:hello"] == "set by hand"
    assert str(before.virtual_key) in desk.said[-1]


def test_a_run_that_failed_half_way_is_taken_up_again_with_the_same_master_key(
    desk: Desk,
) -> None:
    desk.account.url = "http://127.0.0.1.nowhere.example"  # no https, so nothing is sent to it
    with pytest.raises(ValueError, match="https"):
        desk.deploy()
    before = desk.kept.master_key
    assert before is not None

    desk.account.stack = None
    with HttpServer(desk.management) as server:
        desk.account.url = server.origin
        desk.deploy()

    assert desk.kept.master_key == before
    assert desk.parameters["MasterKeyDigest"] == kept.digest_of(before)


def test_a_new_master_key_is_made_on_demand_and_the_old_one_kept_beside_it(desk: Desk) -> None:
    desk.deploy()
    before = desk.kept
    desk.deploy(rotates=True)
    assert desk.kept.master_key != before.master_key
    assert desk.kept.virtual_key == before.virtual_key
    assert desk.parameters["MasterKeyDigest"] == kept.digest_of(desk.kept.master_key or "")
    previous = kept.load(desk.root / ".bursar" / "bursar-dev.previous.json")
    assert previous.master_key == before.master_key


def test_another_machine_upgrades_without_the_master_key_and_tries_nothing(desk: Desk) -> None:
    desk.account.stack = "bursar-dev"
    desk.deploy()
    assert "MasterKeyDigest" not in desk.parameters
    assert desk.management.asked == []
    assert "nothing was tried" in desk.said[-1]
    assert not (desk.root / ".bursar").exists()


def test_no_key_is_sent_in_plain_text_or_where_it_is_redirected_to() -> None:
    with pytest.raises(ValueError, match="https"):
        Gateway("http://gateway.example", "canary")
    elsewhere: list[str] = []

    async def redirect(exchange: Exchange) -> None:
        elsewhere.append(exchange.request.path)
        await exchange.answer(302, {"location": "/elsewhere"}, b"{}")

    with HttpServer(redirect) as server, pytest.raises(GatewayRefused) as refused:
        Gateway(server.origin, "canary").first_key()

    assert refused.value.status == 302
    assert elsewhere == ["/v1/budgets"]
    assert "canary" not in str(refused.value)
