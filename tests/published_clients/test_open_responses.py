"""Responses over chat are what the OpenResponses specification says, which is stricter than SDKs.

Its reasoning events have other names than OpenAI's, and it knows functions only: those are left to
OpenAI's SDK.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.responses_over_chat import FUNCTION, MODEL, events_of, translator
from tests.fakes.wire_files import wire_events
from tests.published_clients.environments import ORACLE

pytestmark = ORACLE.needed

CASES = ["text", "tools", "length", "refusal", "json", "signed-calls", "details"]


def _events() -> list[dict[str, Any]]:
    events = []
    for case in CASES:
        made = translator()
        made.request({"model": MODEL, "input": "hello", "tools": [FUNCTION]})
        events += events_of(wire_events(f"responses/over-chat/{case}.sse"), made)
    return events


@pytest.fixture(scope="module")
def wrong() -> dict[str, list[str]]:
    done = ORACLE.run(
        ORACLE.command("open_responses.py"),
        ORACLE.environ("http://127.0.0.1"),
        json.dumps(_events()),
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_every_event_that_the_specification_knows_fits_it(wrong: dict[str, list[str]]) -> None:
    assert {place: says for place, says in wrong.items() if says} == {}
    kinds = {place.split()[1] for place in wrong}
    assert kinds >= {
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_text.delta",
        "response.output_text.done",
        "response.refusal.delta",
        "response.refusal.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.completed",
        "response.incomplete",
    }
