"""The function under the runtime's client as it is published, on the real engine."""

from __future__ import annotations

import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.usage import Status
from tests.fakes.lambda_runtime import Table, a_table, running
from tests.fakes.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the runtime's client is there for Linux only"
)

_EVENTS = Path(__file__).parents[3] / "events"
_WORD_PAUSE_S = 0.02


def event(name: str) -> Any:
    return json.loads((_EVENTS / f"{name}.json").read_text())


@pytest.fixture
async def table(dynoxide: str) -> Table:
    return await a_table(dynoxide)


@asynccontextmanager
async def served(table: Table, folder: Path, **more: str) -> AsyncIterator[RuntimeApi]:
    """A Runtime API whose invocations the function serves."""
    async with RuntimeApi().serving() as api:
        environ = {
            **table.environ,
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            **more,
        }
        with running([], folder, environ):
            yield api


@pytest.fixture
async def api(table: Table, tmp_path: Path) -> AsyncIterator[RuntimeApi]:
    async with served(table, tmp_path) as api:
        yield api


async def test_a_stream_arrives_as_it_is_produced_and_its_books_are_closed_by_then(
    api: RuntimeApi, table: Table
) -> None:
    got = await api.invoke(event("rest-chat-stream")).wait()

    assert (got.kind, got.prelude["statusCode"]) == ("response", 200)
    assert got.headers["lambda-runtime-invocation-id"] == got.invocation_id
    assert got.body.endswith(b"data: [DONE]\n\n")
    moments = [moment for moment, data in got.chunks if data.startswith(b"data: ")]
    assert len(moments) > 10
    # The provider pauses between words; whole, they would come at once.
    assert moments[-1] - moments[0] > _WORD_PAUSE_S * len(moments) / 2
    (record,) = await table.records()
    assert record.status is Status.SUCCESS
    assert record.request_id == got.prelude["headers"]["x-request-id"]


async def test_one_process_serves_every_event_one_after_another(api: RuntimeApi) -> None:
    chat = await api.invoke(event("rest-chat")).wait()
    assert "Grüß Gott" in chat.json()["choices"][0]["message"]["content"]
    embeddings = await api.invoke(event("rest-embeddings")).wait()
    assert len(embeddings.json()["data"]) == 2
    models = await api.invoke(event("rest-models")).wait()
    assert [model["id"] for model in models.json()["data"]] == ["mock:echo"]
    model = await api.invoke(event("rest-model")).wait()
    assert model.json()["id"] == "mock:echo"
    ignored = await api.invoke(event("schedule")).wait()
    assert (ignored.kind, ignored.raw) == ("response", b"null")
    url = await api.invoke(event("url-chat-stream")).wait()
    assert url.body.endswith(b"data: [DONE]\n\n")
    for got in (chat, embeddings, models, model, url):
        assert (got.kind, got.prelude["statusCode"]) == ("response", 200)


async def test_a_caller_who_leaves_is_settled_and_the_next_one_is_served(
    api: RuntimeApi, table: Table
) -> None:
    await api.invoke(event("rest-chat-stream"), leaves_after=3).wait()
    # It asks for the next invocation only when this one is over.
    answered = await api.invoke(event("rest-models")).wait()
    assert answered.prelude["statusCode"] == 200
    (record,) = await table.records()
    assert record.status is Status.DISCONNECTED
    assert record.cost_usd


async def test_a_refusal_has_its_status(api: RuntimeApi) -> None:
    refused = event("rest-chat") | {"multiValueHeaders": {"Authorization": ["Bearer gw-none"]}}
    got = await api.invoke(refused).wait()
    assert got.prelude["statusCode"] == 401


async def test_a_function_that_is_restored_from_its_snapshot_starts_anew_and_serves(
    table: Table, tmp_path: Path
) -> None:
    how = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    async with served(table, tmp_path, **how) as api:
        got = await api.invoke(event("rest-chat-stream")).wait()
        assert got.body.endswith(b"data: [DONE]\n\n")
        assert api.restores == 1
    assert "restored from a snapshot" in (tmp_path / "output").read_text()


async def test_an_invocations_own_id_is_on_its_log_lines(table: Table, tmp_path: Path) -> None:
    async with served(table, tmp_path) as api:
        got = await api.invoke(event("rest-chat-stream"), leaves_after=3).wait()
        await api.invoke(event("rest-models")).wait()
    lines = [json.loads(line) for line in (tmp_path / "output").read_text().splitlines()]
    (left,) = [line for line in lines if "caller left" in line.get("message", "")]
    assert left["aws_request_id"] == got.invoke_id
