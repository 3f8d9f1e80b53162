"""any-llm's SDK, three of its generations, chatting through the vault with a provider."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.deployment import INPUT_USD_PER_MILLION, OUTPUT_USD_PER_MILLION
from tests.e2e.gateway_process import until
from tests.published_clients.environments import EVERY, LAST_WITH_EVENTS, NEWEST, OLDEST
from tests.published_clients.library import SECRET, project_with_a_key

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment
    from tests.fakes.openai_upstream import FakeOpenAI
    from tests.published_clients.accounts import Books
    from tests.published_clients.environments import Environment
    from tests.published_clients.library import Client, Project

# The library that seals the keys is in the newest one's environment.
pytestmark = NEWEST.needed

COST_USD = (9 * INPUT_USD_PER_MILLION + 5 * OUTPUT_USD_PER_MILLION) / 1_000_000


def _parameters(*environments: Environment) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "sdk", [pytest.param(one, id=one.version, marks=one.needed) for one in environments]
    )


def _chat(*, key: str | None = None, client_name: str | None = None, **request: Any) -> Any:
    """A chat for the program: with a key of its own, or the environment's."""
    create = {"api_key": key, "client_name": client_name}
    return {
        "create": {name: value for name, value in create.items() if value},
        "request": {"model": "fake", **request},
    }


STREAMED: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}


def _outcomes(
    sdk: Environment, deployment: Deployment, chats: list[Any], **environ: str
) -> list[dict[str, Any]]:
    """Have the chats in one process, and wait for its end: the newest SDK reports there."""
    own = sdk.environ(deployment.gateway.url, PROVIDER_URL=deployment.upstream.base_url, **environ)
    done = sdk.run(sdk.command("chat.py"), own, json.dumps(chats))
    assert done.returncode == 0, done.stderr
    outcomes: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])  # the log is before
    return outcomes


@_parameters(*EVERY)
def test_chats_are_answered_with_the_sealed_key_and_are_in_the_projects_books(
    sdk: Environment,
    served: Deployment,
    books: Books,
    client: Client,
    project: Project,
) -> None:
    client.create_project_budget(project.id, 5.0, "daily")
    before = len(served.upstream.requests)
    chats = [_chat(key=project.any_llm_key), _chat(**STREAMED)]
    plain, streamed = _outcomes(sdk, served, chats, ANY_LLM_KEY=project.any_llm_key)
    assert plain == {"text": "w0 w1 w2 w3 w4", "usage": [9, 5]}
    assert streamed == {"text": "w0 w1 w2 w3 w4 ", "usage": [9, 5]}
    asked = served.upstream.requests[before:]
    assert [one.headers["authorization"] for one in asked] == [f"Bearer {SECRET}"] * 2

    records = books(project)
    assert len(records) == 2
    for record in records:
        assert (record["provider"], record["model"]) == ("openai", "fake")
        assert (record["prompt_tokens"], record["completion_tokens"]) == (9, 5)
        assert Decimal(str(record["cost"])) == COST_USD
    (budget,) = client.list_project_budgets(project.id)["data"]
    assert Decimal(budget["current_spend"]) == 2 * COST_USD


@_parameters(*EVERY)
def test_a_key_that_cannot_be_had_is_refused_with_the_reason(
    sdk: Environment, served: Deployment, upstream: FakeOpenAI, client: Client
) -> None:
    """Of a stranger, from before a rotation, archived, and of an exhausted project."""
    rotated, archived, exhausted = [project_with_a_key(client) for _ in range(3)]
    client.delete_provider_key_mgmt(archived.provider_key_id)
    client.create_project_budget(exhausted.id, 0.0, "monthly")
    client.update_project(rotated.id, encryption_key=client.generate()["public_key"])
    stranger = client.generate()["any_llm_key"]

    keys = [stranger, *(one.any_llm_key for one in (rotated, archived, exhausted))]
    before = len(upstream.requests)
    outcomes = _outcomes(sdk, served, [_chat(key=key) for key in keys])

    for outcome in outcomes[:2]:
        assert outcome["raised"] == _kind(sdk, "ChallengeCreationError")
        assert "No project found for the provided public key" in outcome["says"]
    _check_refused(sdk, outcomes[2], 404, "openai")
    _check_refused(sdk, outcomes[3], 403, "budget")
    assert len(upstream.requests) == before


@OLDEST.needed
def test_an_emptied_key_does_not_make_the_oldest_sdk_give_the_vaults_own_key_away(
    served: Deployment, upstream: FakeOpenAI, client: Client, project: Project
) -> None:
    """SDKs before 1.8.6 send ANY_LLM_KEY to the provider where they cannot read an answer."""
    client.update_provider_key_mgmt(project.provider_key_id, None)
    before = len(upstream.requests)
    (outcome,) = _outcomes(OLDEST, served, [_chat(key=project.any_llm_key)])
    sent = [one.headers["authorization"] for one in upstream.requests[before:]]
    assert f"Bearer {project.any_llm_key}" not in sent
    _check_refused(OLDEST, outcome, 404, "openai")


def _kind(sdk: Environment, kind: str) -> str:
    return "RuntimeError" if sdk is OLDEST else kind


def _check_refused(sdk: Environment, outcome: dict[str, Any], status: int, reason: str) -> None:
    """The oldest SDK tells the body alone; the others the status, and the body's detail."""
    assert outcome.get("raised") == _kind(sdk, "ProviderKeyFetchError"), outcome
    assert re.search(reason, outcome["says"], re.IGNORECASE), outcome
    if sdk is not OLDEST:
        assert f"(status: {status}, detail: " in outcome["says"]
        assert "detail: None" not in outcome["says"]


@_parameters(*EVERY)
def test_a_budget_that_is_spent_refuses_the_key_and_not_the_report_that_spent_it(
    sdk: Environment, served: Deployment, books: Books, client: Client, project: Project
) -> None:
    """The newest SDK reports when its process ends; the others before they answer."""
    client.create_project_budget(project.id, float(COST_USD / 2), "daily")
    chat = _chat(key=project.any_llm_key)
    processes = [[chat], [chat]] if sdk is NEWEST else [[chat, chat]]
    answered, refused = [one for chats in processes for one in _outcomes(sdk, served, chats)]
    assert answered["text"]
    _check_refused(sdk, refused, 403, "daily")
    assert len(books(project)) == 1


@_parameters(LAST_WITH_EVENTS, NEWEST)
def test_a_client_is_known_by_its_name_in_the_books_and_its_budget_counts(
    sdk: Environment, served: Deployment, books: Books, client: Client, project: Project
) -> None:
    web = client.create_client(project.id, "web")["id"]
    client.create_client_budget(project.id, web, 5.0, "weekly")
    chats = [
        _chat(key=project.any_llm_key, client_name="web"),
        _chat(key=project.any_llm_key, client_name="web", **STREAMED),
    ]
    assert [one.get("usage") for one in _outcomes(sdk, served, chats)] == [[9, 5], [9, 5]]
    records = books(project)
    assert [one["client_id"] for one in records] == [web, web]
    (budget,) = client.list_client_budgets(project.id, web)
    assert Decimal(budget["current_spend"]) == 2 * COST_USD


@_parameters(LAST_WITH_EVENTS)
def test_a_client_whose_budget_is_spent_is_refused_and_others_are_not(
    sdk: Environment, served: Deployment, client: Client, project: Project
) -> None:
    web = client.create_client(project.id, "web")["id"]
    client.create_client_budget(project.id, web, 0.0, "weekly")
    refused, answered = _outcomes(
        sdk,
        served,
        [
            _chat(key=project.any_llm_key, client_name="web"),
            _chat(key=project.any_llm_key, client_name="job"),
        ],
    )
    _check_refused(sdk, refused, 403, "weekly")
    assert answered["text"]


@_parameters(LAST_WITH_EVENTS, NEWEST)
def test_a_model_whose_name_nobody_expected_is_answered_and_in_the_books(
    sdk: Environment, served: Deployment, books: Books, project: Project
) -> None:
    """Servers name models after files. A refused report would cost the caller its answer."""
    odd = "C:\\models\\Größe 7 (v2, q4_0).gguf"
    (outcome,) = _outcomes(sdk, served, [_chat(key=project.any_llm_key, model=odd)])
    assert outcome.get("usage") == [9, 5], outcome
    assert len(books(project)) == 1


@LAST_WITH_EVENTS.needed
def test_a_key_that_is_deleted_during_a_call_does_not_cost_the_caller_its_answer(
    served: Deployment, books: Books, client: Client, project: Project
) -> None:
    before = len(served.upstream.requests)
    chats = [_chat(key=project.any_llm_key, model="delay-1")]
    with ThreadPoolExecutor(1) as caller:
        called = caller.submit(_outcomes, LAST_WITH_EVENTS, served, chats)
        assert until(lambda: len(served.upstream.requests) > before)
        client.delete_provider_key_mgmt(project.provider_key_id, permanent=True)
        client.create_project_budget(project.id, 0.0, "daily")
        (outcome,) = called.result()
    assert outcome.get("usage") == [9, 5], outcome
    assert len(books(project)) == 1


def test_a_call_that_the_provider_refused_costs_nothing(
    served: Deployment, books: Books, project: Project
) -> None:
    """Only the newest SDK reports it."""
    served.price("openai:error-404", output="10")
    (outcome,) = _outcomes(NEWEST, served, [_chat(key=project.any_llm_key, model="error-404")])
    assert "The fake provider answers 404" in outcome["says"]
    assert [(one["status"], one["cost"]) for one in books(project)] == [("error", 0)]


@OLDEST.needed
def test_a_stream_that_the_oldest_sdk_asked_no_usage_of_is_in_the_books_without_tokens(
    served: Deployment, books: Books, project: Project
) -> None:
    _outcomes(OLDEST, served, [_chat(key=project.any_llm_key, stream=True)])
    (record,) = books(project)
    assert (record["prompt_tokens"], record["completion_tokens"]) == (0, 0)
