"""The example events do on each function's handler what they are there to show.

They are what `sam local invoke -e events/<name>.json` sends, so the functions get here what they
get there: a process of their own, AWS_SAM_LOCAL, and an engine for DynamoDB.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import uuid
from typing import Any

from bursar.store.connect import connect
from bursar.store.schema import ensure_table
from tests.engines import ROOT

EVENTS = ROOT / "events"
OF_FUNCTIONS = {
    "admin": ("rest-admin-set-price", "rest-admin-create-key", "rest-admin-usage"),
    "budget_reset": ("schedule",),
    "proxy": (
        "rest-chat",
        "rest-chat-stream",
        "url-chat-stream",
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
function = importlib.import_module(sys.argv[1])
context = SimpleNamespace(
    aws_request_id="an-invocation", get_remaining_time_in_millis=lambda: 60_000
)
json.dump([function.handler(event, context) for event in json.load(sys.stdin)], answers)
"""


class Functions:
    """Each function in a process of its own, over one table."""

    def __init__(self, endpoint: str) -> None:
        self._environ = {
            "AWS_LAMBDA_FUNCTION_NAME": "function",
            "AWS_REGION": "us-east-1",
            "AWS_SAM_LOCAL": "true",
            "BURSAR_MASTER_KEY": MASTER_KEY,
            "BURSAR_MOCK": "true",
            "BURSAR_TABLE": f"events-{uuid.uuid4().hex}",
            "DYNAMODB_ENDPOINT": endpoint,
            "PATH": os.defpath,
        }
        asyncio.run(self._make_table())

    async def _make_table(self) -> None:
        call = connect(self._environ)
        try:
            await ensure_table(call, self._environ["BURSAR_TABLE"])
        finally:
            await call.close()

    def invoke(self, function: str, *events: str, key: str = VIRTUAL_KEY) -> list[dict[str, Any]]:
        """Send events by name, with a key in place of the one to be replaced."""
        texts = ((EVENTS / f"{name}.json").read_text() for name in events)
        payload = [json.loads(text.replace(VIRTUAL_KEY, key)) for text in texts]
        done = subprocess.run(
            [sys.executable, "-c", INVOKE, f"functions.{function}.handler"],
            input=json.dumps(payload),
            env=self._environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers


def test_the_examples_take_a_gateway_from_nothing_to_a_completion_in_its_books(
    dynoxide: str,
) -> None:
    functions = Functions(dynoxide)
    set_price, create_key, read_usage = OF_FUNCTIONS["admin"]
    priced, issued = functions.invoke("admin", set_price, create_key)
    assert (priced["statusCode"], issued["statusCode"]) == (200, 200)

    key = json.loads(issued["body"])["key"]
    answers = functions.invoke("proxy", *OF_FUNCTIONS["proxy"], key=key)
    assert [it["statusCode"] for it in answers] == [200] * 6
    chat, *streams, embedded, _, models = answers
    assert json.loads(chat["body"])["usage"]["completion_tokens"] > 0
    assert all(it["body"].endswith("data: [DONE]\n\n") for it in streams)
    assert len(json.loads(embedded["body"])["data"]) == 2
    assert [it["id"] for it in json.loads(models["body"])["data"]] == ["mock:echo"]

    (usage,) = functions.invoke("admin", read_usage)
    rows = json.loads(usage["body"])["data"]
    paid = {it["headers"]["x-request-id"] for it in (chat, *streams, embedded)}
    assert {row["id"]: row["outcome"] for row in rows} == dict.fromkeys(paid, "success")
    (report,) = functions.invoke("budget_reset", *OF_FUNCTIONS["budget_reset"])
    assert (report["is_complete"], report["holds_expired"]) == (True, 0)


def test_every_example_is_one_of_these() -> None:
    names = [name for names in OF_FUNCTIONS.values() for name in names]
    assert sorted(names) == sorted(path.stem for path in EVENTS.glob("*.json"))
