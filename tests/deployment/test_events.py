"""The example events do on each function's handler what they are there to show.

They are what `sam local invoke -e events/<name>.json --env-vars infra/sam-local.json` sends. That
needs Docker, and this does not: SAM's library says which variables each function would get, and
each is started with these, in a process of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from bursar.store.connect import connect
from bursar.store.schema import ensure_table
from tests.engines import ROOT
from tests.infrastructure import sam
from tests.infrastructure.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EVENTS = ROOT / "events"
OF_FUNCTIONS = {
    "AdminFunction": ("rest-admin-set-price", "rest-admin-create-key", "rest-admin-usage"),
    "BudgetResetFunction": ("schedule",),
    "ProxyFunction": (
        "rest-chat",
        "rest-chat-stream",
        "url-chat-stream",
        "rest-messages-stream",
        "rest-responses",
        "rest-embeddings",
        "rest-model",
        "rest-models",
    ),
}
MASTER_KEY = "put-the-master-key-of-your-own-gateway-in-place-of-this"
VIRTUAL_KEY = "gw-put-a-virtual-key-of-your-own-gateway-in-place-of-this"
INVOKE = """
import importlib, json, sys
from types import SimpleNamespace
answers, sys.stdout = sys.stdout, sys.stderr
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
context = SimpleNamespace(
    aws_request_id="an-invocation", get_remaining_time_in_millis=lambda: 60_000
)
json.dump([handler(event, context) for event in json.load(sys.stdin)], answers)
"""


LOCAL = ROOT / "infra" / "sam-local.json"


class Functions:
    """Each function in a process of its own, over one table."""

    def __init__(self, variables: Mapping[str, Mapping[str, str]]) -> None:
        self._variables = variables
        asyncio.run(self._make_table())

    async def _make_table(self) -> None:
        environ = self._variables["ProxyFunction"]
        call = connect(environ)
        try:
            await ensure_table(call, environ["BURSAR_TABLE"])
        finally:
            await call.close()

    def invoke(self, function: str, *events: str, key: str = VIRTUAL_KEY) -> list[dict[str, Any]]:
        """Send events by name, with a key in place of the one to be replaced."""
        texts = ((EVENTS / f"{name}.json").read_text() for name in events)
        variables = self._variables[function]
        payload = [json.loads(text.replace(VIRTUAL_KEY, key)) for text in texts]
        done = subprocess.run(
            [sys.executable, "-c", INVOKE, variables["AWS_LAMBDA_FUNCTION_HANDLER"]],
            input=json.dumps(payload),
            env={"PATH": os.defpath, **variables},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers


def sam_local(variables: Path) -> dict[str, Any]:
    """What `sam local` gives the functions, and which of them it would send a request to."""
    digest = f"MasterKeyDigest={hashlib.sha256(MASTER_KEY.encode()).hexdigest()}"
    said = sam.run("python", ROOT / "tests/deployment/sam_local.py", TEMPLATE, variables, digest)
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


@pytest.fixture
def functions(dynoxide: str, tmp_path: Path) -> Functions:
    """The functions as `sam local` starts them, on an engine and a table of the test's own."""
    variables = json.loads(LOCAL.read_text())
    own = {"DYNAMODB_ENDPOINT": dynoxide, "BURSAR_TABLE": f"events-{uuid.uuid4().hex}"}
    assert own.keys() <= variables["Parameters"].keys()
    variables["Parameters"] |= own
    (tmp_path / "variables.json").write_text(json.dumps(variables))
    return Functions(sam_local(tmp_path / "variables.json")["variables"])


def test_sam_local_passes_on_every_variable_of_the_file() -> None:
    passed = sam_local(LOCAL)["variables"]["ProxyFunction"]
    assert json.loads(LOCAL.read_text())["Parameters"].items() <= passed.items()
    assert passed["AWS_SAM_LOCAL"] == "true"


def test_sam_local_sends_each_request_to_its_function() -> None:
    routes = sam_local(LOCAL)["routes"]
    assert routes["POST /v1/chat/completions"] == "ProxyFunction"
    assert routes["GET /v1/models/{model_id+}"] == "ProxyFunction"
    assert routes["PATCH /{proxy+}"] == "AdminFunction"


def test_the_examples_take_a_gateway_from_nothing_to_a_completion_in_its_books(
    functions: Functions,
) -> None:
    set_price, create_key, read_usage = OF_FUNCTIONS["AdminFunction"]
    priced, issued = functions.invoke("AdminFunction", set_price, create_key)
    assert (priced["statusCode"], issued["statusCode"]) == (200, 200)

    key = json.loads(issued["body"])["key"]
    answers = functions.invoke("ProxyFunction", *OF_FUNCTIONS["ProxyFunction"], key=key)
    assert [it["statusCode"] for it in answers] == [200] * 8
    chat, *streams, message, response, embedded, _, models = answers
    assert json.loads(chat["body"])["usage"]["completion_tokens"] > 0
    assert all(it["body"].endswith("data: [DONE]\n\n") for it in streams)
    assert message["body"].endswith('data: {"type":"message_stop"}\n\n')
    assert json.loads(response["body"])["status"] == "completed"
    assert len(json.loads(embedded["body"])["data"]) == 2
    assert [it["id"] for it in json.loads(models["body"])["data"]] == ["mock:echo"]

    (usage,) = functions.invoke("AdminFunction", read_usage)
    rows = json.loads(usage["body"])["data"]
    paid = {it["headers"]["x-request-id"] for it in (chat, *streams, message, response, embedded)}
    assert {row["id"]: row["outcome"] for row in rows} == dict.fromkeys(paid, "success")
    (report,) = functions.invoke("BudgetResetFunction", *OF_FUNCTIONS["BudgetResetFunction"])
    assert (report["is_complete"], report["holds_expired"]) == (True, 0)


def test_every_example_is_one_of_these() -> None:
    names = [name for names in OF_FUNCTIONS.values() for name in names]
    assert sorted(names) == sorted(path.stem for path in EVENTS.glob("*.json"))
