"""The key of a project as a virtual key: plain SDKs, and the gateway opens the vault for a call."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import openai
import pytest
from openai import OpenAI

from tests.e2e.deployment import INPUT_USD_PER_MILLION, MODEL, OUTPUT_USD_PER_MILLION
from tests.published_clients.environments import NEWEST
from tests.published_clients.library import SECRET

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

    from tests.e2e.deployment import Deployment
    from tests.fakes.openai_upstream import FakeOpenAI
    from tests.published_clients.accounts import Books
    from tests.published_clients.library import Client, Project

# The library that seals the keys is there.
pytestmark = NEWEST.needed

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Grüezi!"}]
COST_USD = (9 * INPUT_USD_PER_MILLION + 5 * OUTPUT_USD_PER_MILLION) / 1_000_000


def _openai(deployment: Deployment, project: Project) -> OpenAI:
    return OpenAI(
        api_key=project.any_llm_key, base_url=f"{deployment.gateway.url}/v1", max_retries=0
    )


def test_chats_are_answered_with_the_sealed_key_and_are_in_the_projects_books(
    served: Deployment, upstream: FakeOpenAI, books: Books, client: Client, project: Project
) -> None:
    client.create_project_budget(project.id, 5.0, "daily")
    with _openai(served, project) as gateway:
        answer = gateway.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=5)
        assert answer.choices[0].message.content == "w0 w1 w2 w3 w4"
        assert upstream.last.headers["authorization"] == f"Bearer {SECRET}"
        with gateway.chat.completions.create(
            model=MODEL, messages=HELLO, max_tokens=5, stream=True
        ) as stream:
            texts = [chunk.choices[0].delta.content or "" for chunk in stream]
        assert "".join(texts) == "w0 w1 w2 w3 w4 "

    records = books(project)
    assert [(one["prompt_tokens"], one["completion_tokens"]) for one in records] == [(9, 5)] * 2
    assert [Decimal(str(one["cost"])) for one in records] == [COST_USD] * 2
    (budget,) = client.list_project_budgets(project.id)["data"]
    assert Decimal(budget["current_spend"]) == 2 * COST_USD


def test_a_budget_is_a_hard_cap_here(
    served: Deployment, upstream: FakeOpenAI, client: Client, project: Project
) -> None:
    client.create_project_budget(project.id, 0.000001, "daily")
    before = len(upstream.requests)
    with (
        _openai(served, project) as gateway,
        pytest.raises(openai.PermissionDeniedError, match="budget"),
    ):
        gateway.chat.completions.create(model=MODEL, messages=HELLO)
    assert len(upstream.requests) == before


def test_a_key_that_no_project_knows_is_no_credential(
    served: Deployment, client: Client, project: Project
) -> None:
    client.update_project(project.id, encryption_key=client.generate()["public_key"])
    with _openai(served, project) as gateway, pytest.raises(openai.AuthenticationError):
        gateway.chat.completions.create(model=MODEL, messages=HELLO)


def test_an_archived_key_is_not_used_and_the_gateways_own_is_not_either(
    served: Deployment, upstream: FakeOpenAI, client: Client, project: Project
) -> None:
    client.delete_provider_key_mgmt(project.provider_key_id)
    before = len(upstream.requests)
    with _openai(served, project) as gateway, pytest.raises(openai.NotFoundError):
        gateway.chat.completions.create(model=MODEL, messages=HELLO)
    assert len(upstream.requests) == before
