"""Projects' keys through a gateway process: plain SDKs, hard caps, and rotations under traffic."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI

from bursar import bootstrap
from bursar.vault import AnyLlmKey
from tests.contracts.stores import signed_call
from tests.e2e.deployment import MODEL, PROVIDER_KEY
from tests.fakes.sealed_project import SEALED, SealedProject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from openai.types.chat import ChatCompletionMessageParam

    from bursar.bootstrap import Storage
    from tests.e2e.deployment import Deployment
    from tests.fakes.openai_upstream import FakeOpenAI

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Grüezi!"}]
EXACT_MODEL = "openai:exact-9"
ANSWER_TOKENS = 37
# The input costs nothing and the fake provider answers with as many tokens as it may, so the quote
# is the cost.
EXACT_USD = ANSWER_TOKENS * Decimal("3.7") / 1_000_000
REQUESTS = 100
AFFORDED = 20
KINDS = ["virtual key", "ANY_LLM_KEY"]
REMEMBERS_S = 0.2


@pytest.fixture(scope="module")
def served(deployment: Deployment) -> Iterator[Deployment]:
    """A gateway that tells all it can in its log and forgets quickly what it has read."""
    with deployment.running(log_level="DEBUG", directory_age_s=str(REMEMBERS_S)):
        deployment.price(EXACT_MODEL, output="3.7")
        yield deployment


@pytest.fixture
async def storage(served: Deployment, dynoxide: str) -> AsyncIterator[Storage]:
    call = signed_call(dynoxide)
    yield bootstrap.connect(call, served.table)
    await call.close()


@pytest.fixture
async def project(storage: Storage) -> SealedProject:
    founded = await SealedProject.founded(storage, lambda: datetime.now(UTC))
    await founded.seal(sealed_format=2)
    return founded


async def _key(project: SealedProject, kind: str) -> str:
    return project.vault.text() if kind == "ANY_LLM_KEY" else await project.issue()


def _client(served: Deployment, key: str, **headers: str) -> AsyncOpenAI:
    url = f"{served.gateway.url}/v1"
    return AsyncOpenAI(api_key=key, base_url=url, max_retries=0, default_headers=headers)


def _body(**behaviour: Any) -> bytes:
    body = {"model": EXACT_MODEL, "messages": HELLO, "max_tokens": ANSWER_TOKENS}
    return json.dumps({**body, "fake": behaviour}).encode()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_openai_sdk_is_answered_with_the_key_of_the_vault_and_the_project_pays(
    served: Deployment, project: SealedProject, upstream: FakeOpenAI, kind: str
) -> None:
    client_id = await project.client("worker")
    budget = await project.budget("1", client_id)
    key = await _key(project, kind)
    async with _client(served, key, **{"AnyLLM-Client-Name": "worker"}) as client:
        whole = await client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=3)
        assert whole.choices[0].message.content == "w0 w1 w2"
        assert upstream.last.headers["authorization"] == f"Bearer {SEALED}"
        chunks = await client.chat.completions.create(
            model=MODEL, messages=HELLO, max_tokens=3, stream=True
        )
        texts = [chunk.choices[0].delta.content or "" async for chunk in chunks]
        assert "".join(texts) == "w0 w1 w2 "
        assert upstream.last.headers["authorization"] == f"Bearer {SEALED}"
        vectors = await client.embeddings.create(model=MODEL, input="hello")
        assert vectors.data
    records = served.books.records(project.user_id)
    assert [record["project_id"] for record in records] == [project.project_id] * 3
    assert [record["client_id"] for record in records] == [client_id] * 3
    assert len({record["provider_key_id"] for record in records}) == 1
    cost_usd = served.books.cost_usd(project.user_id)
    assert cost_usd > 0
    for subject in (f"user/{project.user_id}", f"client/{budget.client_id}"):
        account = served.books.account(subject)
        assert (account.committed_usd, account.holds) == (cost_usd, ())


@pytest.mark.parametrize("kind", KINDS)
async def test_of_100_requests_at_once_the_20_that_a_projects_budget_affords_are_served(
    served: Deployment, project: SealedProject, kind: str
) -> None:
    await project.budget(AFFORDED * EXACT_USD)
    key, before = await _key(project, kind), len(served.upstream.requests)
    url, headers = f"{served.gateway.url}/v1/chat/completions", {"x-api-key": key}
    limits = httpx2.Limits(max_connections=REQUESTS)
    async with httpx2.AsyncClient(timeout=60, limits=limits, headers=headers) as client:
        asked = (client.post(url, content=_body(delay_s=0.5)) for _ in range(REQUESTS))
        answers = await asyncio.gather(*asked)
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {200: AFFORDED, 403: REQUESTS - AFFORDED}
    assert len(served.upstream.requests) - before == AFFORDED
    for subject in (f"project/{project.project_id}", f"user/{project.user_id}"):
        account = served.books.account(subject)
        assert (account.committed_usd, account.holds) == (AFFORDED * EXACT_USD, ())
    costs = [record["cost_usd"] for record in served.books.records(project.user_id)]
    assert costs == [EXACT_USD] * AFFORDED


async def test_callers_notice_nothing_of_a_rotation_of_the_vault_and_of_a_providers_key(
    served: Deployment, project: SealedProject, upstream: FakeOpenAI
) -> None:
    keys, new = [await _key(project, kind) for kind in KINDS], AnyLlmKey.generate()
    url, is_over = f"{served.gateway.url}/v1/chat/completions", asyncio.Event()
    statuses: list[list[int]] = [[] for _ in keys * 2]

    async def ask_on(client: httpx2.AsyncClient, key: str, seen: list[int]) -> None:
        while not is_over.is_set():
            answer = await client.post(url, content=_body(), headers={"x-api-key": key})
            seen.append(answer.status_code)

    async def each_is_answered_again(times: int) -> None:
        reached = [len(seen) + times for seen in statuses]
        assert await upstream.until(
            lambda: all(len(seen) >= most for seen, most in zip(statuses, reached, strict=True))
        )

    async with httpx2.AsyncClient(timeout=60) as client:
        callers = [
            asyncio.create_task(ask_on(client, key, seen))
            for key, seen in zip(keys * 2, statuses, strict=True)
        ]
        await each_is_answered_again(4)
        await project.rotate_vault(await project.rekeyed(new), 600)
        keys_of = project.platform.provider_keys(project.project_id)
        (provider_key,) = await keys_of.page(skip=0, limit=9)
        await each_is_answered_again(4)
        asked_before = len(served.upstream.requests)
        project.vault = new
        await project.reseal(provider_key.provider_key_id, "sk-next", sealed_format=2)
        assert await upstream.until(lambda: all(403 in seen for seen in statuses[1::2]))
        await asyncio.sleep(2 * REMEMBERS_S)
        keys_asked = new.text(), keys[0]
        asked = (
            client.post(url, content=_body(), headers={"x-api-key": key}) for key in keys_asked
        )
        assert [answer.status_code for answer in await asyncio.gather(*asked)] == [200, 200]
        is_over.set()
        await asyncio.gather(*callers)
    of_virtual_keys, of_old_vault_keys = (set().union(*statuses[at::2]) for at in (0, 1))
    assert of_virtual_keys == {200}
    # What was sealed after the rotation is for the new key alone.
    assert of_old_vault_keys == {200, 403}
    sent = [request.headers["authorization"] for request in served.upstream.requests]
    assert set(sent[asked_before:]) <= {f"Bearer {SEALED}", "Bearer sk-next"}
    assert sent[-1] == "Bearer sk-next"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("ANY.v1.12345678.b4c60bb1-c2VjcmV0", "a private key has 32 bytes"),
        (AnyLlmKey.generate().text(), "Invalid API key"),
    ],
    ids=["no key", "nobody's key"],
)
async def test_a_vault_key_that_is_none_is_an_authentication_error_to_the_sdk(
    served: Deployment, key: str, message: str
) -> None:
    async with _client(served, key) as client:
        with pytest.raises(openai.AuthenticationError, match=message) as refused:
            await client.chat.completions.create(model=MODEL, messages=HELLO)
    assert key.rpartition("-")[2] not in refused.value.response.text


async def test_an_unopenable_vault_is_a_permission_error_that_says_what_to_do(
    served: Deployment, project: SealedProject
) -> None:
    key = await project.issue(oldest_format=2)
    await project.seal("groq", sealed_format=1)
    served.price("groq:llama", output="1")
    async with _client(served, key) as client:
        with pytest.raises(openai.PermissionDeniedError) as refused:
            await client.chat.completions.create(model="groq:llama", messages=HELLO)
        models = [model.id async for model in client.models.list()]
    assert refused.value.code == "vault_closed"
    assert "bursar vault seal --format 2" in refused.value.response.json()["detail"]
    assert MODEL in models
    assert not [account for account in served.books.accounts() if account.holds]


async def test_no_key_of_a_vault_is_in_the_table_or_in_the_log(
    served: Deployment, project: SealedProject
) -> None:
    for kind in KINDS:
        key = await _key(project, kind)
        async with _client(served, key) as client:
            for behaviour in ({}, {"status": 401}, {"status": 500}, {"fault": "rst"}):
                with contextlib.suppress(openai.APIError):
                    await client.chat.completions.create(
                        model=MODEL, messages=HELLO, extra_body={"fake": behaviour}
                    )
    logged = served.gateway.stdout + served.gateway.stderr
    stored = json.dumps(list(served.books.items()), default=str)
    assert project.project_id in stored
    for secret in (SEALED, PROVIDER_KEY, key, key.rpartition("-")[2]):
        assert secret not in logged + stored
