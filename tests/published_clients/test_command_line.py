"""The any-llm command as it is published, against a gateway."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.published_clients.accounts import Account, account
from tests.published_clients.environments import NEWEST
from tests.published_clients.library import SECRET, ClientError

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment
    from tests.published_clients.library import Client, Library, Project

pytestmark = NEWEST.needed

KEY = re.compile(r"^ANY\.v1\.[0-9a-f]{8}\.[0-9a-f]{8}-\S+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Command:
    """Somebody at a terminal, whose environment has what the command needs to log in."""

    origin: str
    account: Account

    def run(self, *words: str, given: str = "", fails: bool = False, **environ: str) -> str:
        """Type it; what it printed, to both outputs."""
        own = NEWEST.environ(
            self.origin,
            ANY_LLM_USERNAME=self.account.email,
            ANY_LLM_PASSWORD=self.account.password,
            **{"COLUMNS": "200", **environ},
        )
        executable = str(NEWEST.folder / "bin" / "any-llm")
        done = NEWEST.run([executable, *words], own, given)
        said = done.stdout + done.stderr
        assert done.returncode == (1 if fails else 0), said
        return said

    def json(self, *words: str) -> Any:
        """Type it with JSON as its format; a line before the JSON says what was done."""
        said = self.run("--format", "json", *words)
        return json.loads(said[min(at for at in map(said.find, "{[") if at >= 0) :])


@pytest.fixture(scope="module")
def any_llm(served: Deployment, alice: Account) -> Command:
    return Command(served.gateway.url, alice)


def test_the_command_manages_projects(any_llm: Command) -> None:
    made = any_llm.json("project", "create", "web", "--description", "the shop")
    assert made["name"] == "web"
    assert any_llm.json("project", "update", made["id"], "--name", "shop")["name"] == "shop"
    listing = any_llm.run("project", "list")
    assert made["id"] in listing
    assert "shop" in listing
    assert "Deleted project" in any_llm.run("project", "delete", made["id"], "--yes")
    assert "(status: 404)" in any_llm.run("project", "show", made["id"], fails=True)


def test_a_wrong_password_ends_the_command_and_says_why(any_llm: Command) -> None:
    said = any_llm.run("--password", "wrong", "project", "list", fails=True)
    assert re.search(r"Authentication failed - Failed to login \(status: 40[01]\): \w+", said)


def test_the_command_manages_provider_keys_and_opens_them(
    any_llm: Command, client: Client, project: Project
) -> None:
    sealed = client.seal("sk-mistral", project.any_llm_key)
    made = any_llm.json("key", "create", project.id, "mistral", sealed)
    assert "sk-mistral" in _opened(any_llm, "mistral", project.any_llm_key)

    any_llm.run("key", "update", made["id"], client.seal("sk-next", project.any_llm_key))
    assert "sk-next" in _opened(any_llm, "mistral", project.any_llm_key)

    assert "Archived" in any_llm.run("key", "delete", made["id"], "--yes")
    listing = any_llm.run("key", "list", project.id, "--include-archived")
    assert re.search(r"mistral +Yes", listing)
    assert re.search(r"openai +No", listing)
    any_llm.run("key", "unarchive", made["id"])
    any_llm.run("key", "delete", made["id"], "--permanent", "--yes")
    assert any_llm.json("key", "list", project.id, "--include-archived")["count"] == 1


def _opened(any_llm: Command, provider: str, any_llm_key: str) -> str:
    return any_llm.run("key", "decrypt", provider, ANY_LLM_KEY=any_llm_key)


def test_the_command_manages_budgets_and_clients(any_llm: Command, project: Project) -> None:
    any_llm.run("budget", "create", project.id, "12.5", "--period", "daily")
    any_llm.run("budget", "update", project.id, "daily", "20")
    assert re.search(r"20\.0+ +0\.0+ .*daily", any_llm.run("budget", "list", project.id))
    any_llm.run("budget", "delete", project.id, "daily", "--yes")
    assert "(status: 404)" in any_llm.run("budget", "show", project.id, "daily", fails=True)

    web = any_llm.json("client", "create", project.id, "web", "--default")["id"]
    job = any_llm.json("client", "create", project.id, "job")["id"]
    any_llm.run("client", "set-default", project.id, job)
    any_llm.run("client", "update", project.id, web, "--name", "shop")
    shown = {
        one["name"]: one["is_default"] for one in any_llm.json("client", "list", project.id)["data"]
    }
    assert shown == {"shop": False, "job": True}
    any_llm.run("client", "delete", project.id, web, "--yes")


def test_lists_can_be_read_in_a_terminal_of_80_columns(
    served: Deployment, library: Library
) -> None:
    """Every field that an answer has beyond the known ones takes room from the others."""
    person = account(served)
    client = library.client()
    client.login(person.email, person.password)
    project = client.create_project("storefront")["id"]
    client.create_project_budget(project, 1234.5, "monthly")
    client.create_client(project, "web-checkout")
    any_llm = Command(served.gateway.url, person)
    assert "storefront" in any_llm.run("project", "list", COLUMNS="80")
    assert "1234.5" in any_llm.run("budget", "list", project, COLUMNS="80")
    assert "web-checkout" in any_llm.run("client", "list", project, COLUMNS="80")


def test_a_rotation_with_the_old_key_migrates_what_it_sealed(
    any_llm: Command, client: Client, library: Library, project: Project
) -> None:
    """A key that is sealed for the old key, one that is archived too, and a local provider's."""
    archived = client.create_provider_key_mgmt(
        project.id, "mistral", client.seal("sk-archived", project.any_llm_key)
    )
    client.delete_provider_key_mgmt(archived["id"])
    client.create_provider_key_mgmt(project.id, "ollama", "")

    said = any_llm.run("key", "generate", project.id, "--old-key", project.any_llm_key, "--yes")
    assert re.search(r"Migrated: 2 .*\s+Skipped: 1 .*\s+Archived: 0 .*\s+Failed: 0 ", said), said
    (new_key,) = KEY.findall(said)
    reader = library.client()
    assert reader.get_decrypted_provider_key(new_key, "openai")["api_key"] == SECRET
    with pytest.raises(ClientError, match="No project found"):
        library.client().get_decrypted_provider_key(project.any_llm_key, "openai")

    assert client.list_provider_keys(project.id)["count"] == 2
    client.unarchive_provider_key(archived["id"])
    assert reader.get_decrypted_provider_key(new_key, "mistral")["api_key"] == "sk-archived"


def test_a_rotation_without_the_old_key_archives_what_nobody_can_open_any_more(
    any_llm: Command, client: Client, project: Project
) -> None:
    said = any_llm.run("key", "generate", project.id, given="\narchive all\n")
    assert re.search(r"Migrated: 0 .*\s+Skipped: 0 .*\s+Archived: 1 .*\s+Failed: 0 ", said), said
    assert client.list_provider_keys(project.id)["count"] == 0
    refused = any_llm.run("key", "decrypt", "openai", fails=True, ANY_LLM_KEY=project.any_llm_key)
    assert "No project found for the provided public key" in refused
    refused = any_llm.run("key", "decrypt", "openai", fails=True, ANY_LLM_KEY=KEY.findall(said)[0])
    assert "status: 404" in refused


def test_a_rotation_with_another_projects_key_archives_and_does_not_fail(
    any_llm: Command, client: Client, project: Project
) -> None:
    stranger = client.generate()["any_llm_key"]
    said = any_llm.run("key", "generate", project.id, "--old-key", stranger, "--yes")
    assert re.search(r"Migrated: 0 .*\s+Skipped: 0 .*\s+Archived: 1 .*\s+Failed: 0 ", said), said
    assert client.list_provider_keys(project.id)["count"] == 0


def test_the_first_key_of_a_project_is_generated_the_same_way(
    any_llm: Command, client: Client, library: Library
) -> None:
    project = client.create_project("made without a key")
    said = any_llm.run("key", "generate", project["id"], given="\n")
    assert "No provider keys found" in said
    (key,) = KEY.findall(said)
    sealed = client.seal(SECRET, key)
    any_llm.run("key", "create", project["id"], "openai", sealed)
    assert library.client().get_decrypted_provider_key(key, "openai")["api_key"] == SECRET
