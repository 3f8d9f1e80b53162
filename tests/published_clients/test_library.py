"""The client library as it is published, against a gateway: what it manages and what it opens."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.published_clients.accounts import account
from tests.published_clients.environments import NEWEST
from tests.published_clients.library import SECRET, Client, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.deployment import Deployment
    from tests.published_clients.accounts import Account
    from tests.published_clients.library import Library, Project

pytestmark = NEWEST.needed

PERIODS = ("daily", "weekly", "monthly")


@pytest.fixture(scope="module")
def bob(served: Deployment, library: Library) -> Client:
    """Somebody else's client, logged in."""
    other = account(served)
    made = library.client()
    made.login(other.email, other.password)
    return made


def test_a_wrong_password_does_not_log_in_and_says_so(library: Library, alice: Account) -> None:
    for email in (alice.email, "nobody@example.org"):
        with pytest.raises(ClientError, match=r"Failed to login \(status: 40[01]\): \w+") as caught:
            library.client().login(email, "wrong")
        assert caught.value.kind == "AuthenticationError"


def test_a_project_is_made_listed_shown_changed_and_deleted(client: Client) -> None:
    key = client.generate()["public_key"]
    made = client.create_project("web", description="the shop", encryption_key=key)
    assert (made["name"], made["description"], made["encryption_key"]) == ("web", "the shop", key)
    assert client.get_project(made["id"]) == made
    assert made["id"] in [each["id"] for each in client.list_projects()["data"]]

    changed = client.update_project(made["id"], name="shop", description="")
    assert (changed["name"], changed["description"]) == ("shop", "")
    assert changed["encryption_key"] == key

    assert client.delete_project(made["id"])["message"]
    with pytest.raises(ClientError, match=r"Failed to get project \(status: 404\): \w+"):
        client.get_project(made["id"])


def test_projects_are_listed_a_page_at_a_time_with_the_count_of_all(
    served: Deployment, library: Library
) -> None:
    person = account(served)
    client = library.client()
    client.login(person.email, person.password)
    assert client.list_projects() == {"data": [], "count": 0}
    made = [client.create_project(name)["id"] for name in ("a", "b", "c")]
    pages = [client.list_projects(skip=skip, limit=2) for skip in (0, 2)]
    assert [page["count"] for page in pages] == [3, 3]
    assert [len(page["data"]) for page in pages] == [2, 1]
    assert {one["id"] for page in pages for one in page["data"]} == set(made)


def test_somebody_elses_project_cannot_be_seen_changed_or_spent(
    bob: Client, project: Project
) -> None:
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: bob.get_project(project.id),
        lambda: bob.update_project(project.id, encryption_key=bob.generate()["public_key"]),
        lambda: bob.delete_project(project.id),
        lambda: bob.list_provider_keys(project.id),
        lambda: bob.create_provider_key_mgmt(project.id, "mistral", ""),
        lambda: bob.update_provider_key_mgmt(project.provider_key_id, None),
        lambda: bob.delete_provider_key_mgmt(project.provider_key_id, permanent=True),
        lambda: bob.create_project_budget(project.id, 1.0),
        lambda: bob.create_client(project.id, "mine"),
    )
    for attempt in attempts:
        with pytest.raises(ClientError, match=r"\(status: 404\): \w+"):
            attempt()
    assert project.id not in [one["id"] for one in bob.list_projects()["data"]]


def test_two_projects_cannot_have_the_same_public_key(client: Client, project: Project) -> None:
    with pytest.raises(ClientError, match=r"Failed to create project \(status: 409\): \w+"):
        client.create_project("twin", encryption_key=project.public_key)
    other = client.create_project("other")
    with pytest.raises(ClientError, match=r"Failed to update project \(status: 409\): \w+"):
        client.update_project(other["id"], encryption_key=project.public_key)


def test_a_public_key_must_be_one(client: Client) -> None:
    low_order = "A" * 43 + "="
    for not_a_key in ("not base64!", "c2hvcnQ=", low_order):
        with pytest.raises(ClientError, match=r"Failed to create project \(status: 4(00|22)\): "):
            client.create_project("bad", encryption_key=not_a_key)


def test_a_key_that_the_library_sealed_opens_again(library: Library, project: Project) -> None:
    opened = library.client().get_decrypted_provider_key(project.any_llm_key, "openai")
    assert opened["api_key"] == SECRET
    assert opened["provider"] == "openai"
    assert opened["project_id"] == project.id
    assert opened["provider_key_id"] == project.provider_key_id


def test_a_changed_key_opens_to_what_it_was_changed_to(
    client: Client, library: Library, project: Project
) -> None:
    sealed = client.seal("sk-next", project.any_llm_key)
    changed = client.update_provider_key_mgmt(project.provider_key_id, sealed)
    assert changed["encrypted_key"] == sealed
    opened = library.client().get_decrypted_provider_key(project.any_llm_key, "openai")
    assert opened["api_key"] == "sk-next"
    assert opened["updated_at"] >= opened["created_at"]


def test_an_archived_key_is_not_listed_or_opened_until_it_is_restored(
    client: Client, library: Library, project: Project
) -> None:
    reader = library.client()
    reader.get_decrypted_provider_key(project.any_llm_key, "openai")
    assert client.delete_provider_key_mgmt(project.provider_key_id)["message"]

    assert client.list_provider_keys(project.id) == {"data": [], "count": 0}
    (archived,) = client.list_provider_keys(project.id, include_archived=True)["data"]
    assert archived["id"] == project.provider_key_id
    assert archived["is_archived"] or archived["archived_at"]
    with pytest.raises(ClientError, match=r"\(status: 404, detail: \w.+\)") as caught:
        reader.get_decrypted_provider_key(project.any_llm_key, "openai")
    assert caught.value.kind == "ProviderKeyFetchError"

    restored = client.unarchive_provider_key(project.provider_key_id)
    assert not restored.get("is_archived")
    assert restored.get("archived_at") is None
    assert reader.get_decrypted_provider_key(project.any_llm_key, "openai")["api_key"] == SECRET


def test_an_archived_key_is_changed_and_archived_again_as_a_rotation_does(
    client: Client, project: Project
) -> None:
    client.delete_provider_key_mgmt(project.provider_key_id)
    sealed = client.seal("sk-migrated", project.any_llm_key)
    assert (
        client.update_provider_key_mgmt(project.provider_key_id, sealed)["encrypted_key"] == sealed
    )
    assert client.delete_provider_key_mgmt(project.provider_key_id)["message"]
    assert client.list_provider_keys(project.id)["count"] == 0


def test_a_deleted_key_is_gone_and_its_provider_can_have_another(
    client: Client, project: Project
) -> None:
    client.delete_provider_key_mgmt(project.provider_key_id, permanent=True)
    assert client.list_provider_keys(project.id, include_archived=True)["count"] == 0
    with pytest.raises(ClientError, match=r"Failed to unarchive provider key \(status: 404\): "):
        client.unarchive_provider_key(project.provider_key_id)
    client.create_provider_key_mgmt(project.id, "openai", client.seal("sk-2", project.any_llm_key))
    assert client.list_provider_keys(project.id)["count"] == 1


def test_a_provider_has_one_active_key_in_a_project(client: Client, project: Project) -> None:
    sealed = client.seal("sk-2", project.any_llm_key)
    with pytest.raises(ClientError, match=r"Failed to create provider key \(status: 409\): \w+"):
        client.create_provider_key_mgmt(project.id, "openai", sealed)
    client.delete_provider_key_mgmt(project.provider_key_id)
    client.create_provider_key_mgmt(project.id, "openai", sealed)
    with pytest.raises(ClientError, match=r"Failed to unarchive provider key \(status: 409\): "):
        client.unarchive_provider_key(project.provider_key_id)


def test_what_is_no_sealed_key_is_refused(client: Client, project: Project) -> None:
    for not_sealed in ("sk-in-the-open", "c2hvcnQ="):
        with pytest.raises(ClientError, match=r"\(status: 4(00|22)\): "):
            client.create_provider_key_mgmt(project.id, "mistral", not_sealed)
        with pytest.raises(ClientError, match=r"\(status: 4(00|22)\): "):
            client.update_provider_key_mgmt(project.provider_key_id, not_sealed)


def test_a_local_provider_has_an_empty_key_and_a_key_can_be_emptied(
    client: Client, library: Library, project: Project
) -> None:
    local = client.create_provider_key_mgmt(project.id, "ollama", "")
    assert local["encrypted_key"] == ""
    assert not client.update_provider_key_mgmt(project.provider_key_id, None)["encrypted_key"]
    with pytest.raises(ClientError, match="status: 404"):
        library.client().get_decrypted_provider_key(project.any_llm_key, "openai")


def test_a_key_that_no_project_knows_is_told_from_other_failures(library: Library) -> None:
    client = library.client()
    with pytest.raises(ClientError) as caught:
        client.get_decrypted_provider_key(client.generate()["any_llm_key"], "openai")
    assert caught.value.kind == "ChallengeCreationError"
    assert caught.value.says == "No project found for the provided public key"


def test_a_new_public_key_ends_the_old_key_and_leaves_what_was_sealed(
    client: Client, library: Library, project: Project
) -> None:
    reader = library.client()
    reader.get_decrypted_provider_key(project.any_llm_key, "openai")
    before = client.list_provider_keys(project.id)["data"]
    client.update_project(project.id, encryption_key=client.generate()["public_key"])
    assert client.list_provider_keys(project.id)["data"] == before
    with pytest.raises(ClientError, match="No project found"):
        library.client().get_decrypted_provider_key(project.any_llm_key, "openai")
    with pytest.raises(ClientError, match="status: 401"):
        reader.get_decrypted_provider_key(project.any_llm_key, "openai")


def test_somebody_who_logged_in_cannot_read_the_vault_with_that_token(
    client: Client, project: Project
) -> None:
    """The library sends the token it has, whatever it is for."""
    with pytest.raises(ClientError, match=r"Failed to fetch provider key \(status: 40[13], "):
        client.get_decrypted_provider_key(project.any_llm_key, "openai")


def test_a_projects_token_manages_nothing(library: Library, project: Project) -> None:
    reader = library.client()
    reader.get_decrypted_provider_key(project.any_llm_key, "openai")
    with pytest.raises(ClientError, match=r"Failed to get project \(status: 40[13]\): \w+"):
        reader.get_project(project.id)


def test_a_project_has_a_budget_for_each_period(client: Client, project: Project) -> None:
    assert client.list_project_budgets(project.id) == {"data": [], "count": 0}
    for at, period in enumerate(PERIODS, start=1):
        made = client.create_project_budget(project.id, at + 0.25, period)
        assert _amounts(made) == (at + 0.25, 0.0, period)
    listed = client.list_project_budgets(project.id)
    assert listed["count"] == 3
    assert {one["spend_period"] for one in listed["data"]} == set(PERIODS)

    with pytest.raises(ClientError, match=r"\(status: 409\): \w+"):
        client.create_project_budget(project.id, 9.0, "daily")
    assert _amounts(client.update_project_budget(project.id, "daily", 7.5)) == (7.5, 0.0, "daily")
    assert _amounts(client.get_project_budget(project.id, "daily")) == (7.5, 0.0, "daily")
    assert client.delete_project_budget(project.id, "daily")["message"]
    for attempt in (client.get_project_budget, client.delete_project_budget):
        with pytest.raises(ClientError, match=r"project budget \(status: 404\): \w+"):
            attempt(project.id, "daily")


def test_an_impossible_budget_is_refused(client: Client, project: Project) -> None:
    for limit, period in ((-1.0, "daily"), (1.0, "hourly")):
        with pytest.raises(ClientError, match=r"\(status: 422\): "):
            client.create_project_budget(project.id, limit, period)


def _amounts(budget: dict[str, Any]) -> tuple[float, float, str]:
    """As the library's own users read one: amounts are texts."""
    assert isinstance(budget["budget_limit"], str)
    return float(budget["budget_limit"]), float(budget["current_spend"]), budget["spend_period"]


def test_clients_are_made_listed_renamed_and_deleted(client: Client, project: Project) -> None:
    web = client.create_client(project.id, "web")
    assert (web["name"], web["is_default"]) == ("web", False)
    job = client.create_client(project.id, "job")
    page = client.list_clients(project.id, skip=1, limit=1)
    assert (page["count"], len(page["data"])) == (2, 1)
    assert client.update_client(project.id, web["id"], name="shop")["name"] == "shop"
    assert client.get_client(project.id, web["id"])["name"] == "shop"
    assert client.delete_client(project.id, job["id"])["message"]
    with pytest.raises(ClientError, match=r"Failed to get client \(status: 404\): \w+"):
        client.get_client(project.id, job["id"])
    with pytest.raises(ClientError, match=r"Failed to create client \(status: 409\): \w+"):
        client.create_client(project.id, "shop")


def test_a_project_has_one_default_client(client: Client, project: Project) -> None:
    made = [client.create_client(project.id, name, is_default=True)["id"] for name in ("a", "b")]
    made.append(client.create_client(project.id, "c")["id"])
    assert _defaults(client, project) == [made[1]]
    assert client.set_default_client(project.id, made[0])["is_default"] is True
    assert _defaults(client, project) == [made[0]]
    client.update_client(project.id, made[2], is_default=True)
    assert _defaults(client, project) == [made[2]]
    client.update_client(project.id, made[2], is_default=False)
    assert _defaults(client, project) == []


def _defaults(client: Client, project: Project) -> list[str]:
    return [one["id"] for one in client.list_clients(project.id)["data"] if one["is_default"]]


def test_a_client_has_budgets_of_its_own(client: Client, project: Project) -> None:
    web = client.create_client(project.id, "web")["id"]
    assert client.list_client_budgets(project.id, web) == []
    made = client.create_client_budget(project.id, web, 2.5, "weekly")
    assert _amounts(made) == (2.5, 0.0, "weekly")
    assert [_amounts(one) for one in client.list_client_budgets(project.id, web)] == [
        (2.5, 0.0, "weekly")
    ]
    changed = client.update_client_budget(project.id, web, "weekly", 3.0)
    assert _amounts(changed) == (3.0, 0.0, "weekly")
    assert _amounts(client.get_client_budget(project.id, web, "weekly")) == (3.0, 0.0, "weekly")
    assert client.list_project_budgets(project.id)["count"] == 0
    assert client.delete_client_budget(project.id, web, "weekly")["message"]
    with pytest.raises(ClientError, match=r"Failed to get client budget \(status: 404\): \w+"):
        client.get_client_budget(project.id, web, "weekly")


def test_what_is_not_there_is_not_found_and_what_is_no_id_is_not_either(client: Client) -> None:
    for name in (str(uuid.uuid4()), "not-an-id"):
        with pytest.raises(ClientError, match=r"Failed to get project \(status: 4(04|22)\): "):
            client.get_project(name)
        with pytest.raises(ClientError, match=r"update provider key \(status: 4(04|22)\): "):
            client.update_provider_key_mgmt(name, None)


def test_a_field_that_is_too_long_is_named(client: Client) -> None:
    with pytest.raises(ClientError, match=r"\(status: 422\): .*name"):
        client.create_project("x" * 256)
    with pytest.raises(ClientError, match=r"\(status: 422\): .*description"):
        client.create_project("x", description="x" * 1025)
