"""The management API as a Lambda function, started as Lambda starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from importlib.metadata import version
from typing import Any

import pytest

from bursar.store.connect import connect
from bursar.store.schema import ensure_table
from functions.admin.settings import VERSION
from tests.fakes.office import MASTER_KEY

_INVOKE = """
import json, sys
from types import SimpleNamespace
from functions.admin.handler import handler
events = json.load(sys.stdin)
context = SimpleNamespace(aws_request_id='an-invocation')
print(json.dumps([handler(event, context) for event in events]))
"""


def event(method: str, path: str, body: object = None) -> dict[str, Any]:
    """A proxy event of API Gateway's REST API."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": {"authorization": f"Bearer {MASTER_KEY}", "content-type": "application/json"},
        "multiValueHeaders": {
            "authorization": [f"Bearer {MASTER_KEY}"],
            "content-type": ["application/json"],
        },
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "path": path,
            "stage": "prod",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def invoke(endpoint: str, table: str, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers to events of one process."""
    *_, answers = lines_of(endpoint, table, *events)
    return list(answers)


def lines_of(endpoint: str, table: str, *events: dict[str, Any]) -> list[Any]:
    """All that a process writes: its logs and metrics, and in the end its answers."""
    environ = {
        **os.environ,
        "DYNAMODB_ENDPOINT": endpoint,
        "BURSAR_TABLE": table,
        "BURSAR_MASTER_KEY": MASTER_KEY,
    }
    done = subprocess.run(
        [sys.executable, "-c", _INVOKE],
        input=json.dumps(events),
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
async def table(dynoxide: str) -> str:
    name = f"bursar-admin-handler-{uuid.uuid4().hex}"
    call = connect({"DYNAMODB_ENDPOINT": dynoxide})
    await ensure_table(call, name)
    await call.close()
    return name


def test_one_process_answers_one_event_after_another(dynoxide: str, table: str) -> None:
    created, listed, ready, refused = invoke(
        dynoxide,
        table,
        event("POST", "/v1/users", {"user_id": "alice"}),
        event("GET", "/v1/users"),
        event("GET", "/health/readiness"),
        event("GET", "/v1/users/nobody"),
    )
    assert created["statusCode"] == 200
    assert json.loads(listed["body"]) == [json.loads(created["body"])]
    assert json.loads(ready["body"])["version"] == VERSION
    assert refused["statusCode"] == 404
    assert refused["headers"]["x-request-id"]


def test_a_cold_start_is_counted_once_under_its_invocation(dynoxide: str, table: str) -> None:
    cold, answers = lines_of(dynoxide, table, event("GET", "/health"), event("GET", "/health"))
    assert (cold["ColdStarts"], cold["service"]) == (1, "bursar")
    assert cold["aws_request_id"] == "an-invocation"
    assert [answer["statusCode"] for answer in answers] == [200, 200]


def test_the_version_told_is_the_packages() -> None:
    assert version("bursar") == VERSION
