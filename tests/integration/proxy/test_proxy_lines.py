"""What the data plane's function writes to standard output: logs and metrics, as JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest

from bursar.domain.keys import new_virtual_key
from bursar.store.connect import connect
from bursar.store.schema import ensure_table
from tests.engines import ROOT
from tests.fakes.office import MASTER_KEY

_INVOKE = """
import json, sys
from types import SimpleNamespace
from functions.proxy.handler import handler
for number, event in enumerate(json.load(sys.stdin)):
    context = SimpleNamespace(
        aws_request_id=f"invocation-{number}", get_remaining_time_in_millis=lambda: 30_000
    )
    head, _, _ = handler(event, context).partition(bytes(8))
    print(head.decode())
"""


def lines_of(environ: dict[str, str], *keys: str) -> list[dict[str, Any]]:
    """All lines of a process that is asked once with each key."""
    event = json.loads((ROOT / "events" / "rest-chat.json").read_text())
    events = [event | {"headers": {"Authorization": f"Bearer {key}"}} for key in keys]
    done = subprocess.run(
        [sys.executable, "-c", _INVOKE],
        input=json.dumps([{**it, "multiValueHeaders": None} for it in events]),
        env={**os.environ, "BURSAR_MASTER_KEY": MASTER_KEY, "BURSAR_MOCK": "true", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
async def environ(dynoxide: str) -> dict[str, str]:
    named = {"DYNAMODB_ENDPOINT": dynoxide, "BURSAR_TABLE": f"lines-{uuid4().hex}"}
    call = connect(named)
    await ensure_table(call, named["BURSAR_TABLE"])
    await call.close()
    return named


def test_each_request_is_one_metric_line_with_the_ids_of_its_answer(
    environ: dict[str, str],
) -> None:
    key = new_virtual_key()
    cold, first, answered, second, answered_too = lines_of(environ, key, key)
    assert (cold["ColdStarts"], cold["aws_request_id"]) == (1, "invocation-0")
    for number, (line, answer) in enumerate([(first, answered), (second, answered_too)]):
        assert (line["outcome"], line["Requests"]) == ("invalid_api_key", 1)
        assert line["request_id"] == answer["headers"]["x-request-id"]
        assert line["aws_request_id"] == f"invocation-{number}"
    assert key not in repr((cold, first, second))


def test_a_request_that_the_store_fails_is_counted_with_its_ids(environ: dict[str, str]) -> None:
    gone = environ | {"DYNAMODB_ENDPOINT": "http://127.0.0.1:9"}
    *_, refused, answer = lines_of(gone, new_virtual_key())
    assert answer["statusCode"] == 503
    assert refused["outcome"] == "store_unavailable"
    assert refused["request_id"] == answer["headers"]["x-request-id"]
