"""What a request may use is bounded before it is translated: the translation adds nothing to it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.responses_request import parse_responses
from tests.fakes.responses_over_chat import MODEL, translator
from tests.fakes.wire_files import wire_json

_TEXT = st.text(max_size=30)


def _bound(document: dict[str, Any]) -> int:
    return parse_responses(msgspec.json.encode(document)).bound(None, 1).input_tokens


def _read_bytes(document: dict[str, Any]) -> int:
    """Bytes of all that the model is told; a token has one at least."""
    chat = translator().request(document)
    schema = chat.get("response_format", {})
    return len(msgspec.json.encode([_texts(chat["messages"]), chat.get("tools"), schema]))


def _texts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) and not value.startswith("data:") else []


@pytest.mark.parametrize("case", ["codex-first-turn", "codex-tool-results", "codex-tools-in-input"])
def test_codexs_requests_are_within_their_bound(case: str) -> None:
    document = wire_json(f"responses/{case}.json")
    assert _read_bytes(document) <= _bound(document)


@given(about=_TEXT, names=st.lists(st.integers(0, 99), unique=True, max_size=20), text=_TEXT)
def test_a_namespaces_description_does_not_grow_with_its_tools(
    about: str, names: list[int], text: str
) -> None:
    tools = [{"type": "function", "name": f"f{name}", "parameters": {}} for name in names]
    namespace = {"type": "namespace", "name": "n", "description": about * 50, "tools": tools}
    document = {"model": MODEL, "input": text, "tools": [namespace]}
    assert _read_bytes(document) <= _bound(document)


@given(
    texts=st.lists(_TEXT, max_size=5),
    calls=st.lists(st.tuples(_TEXT, _TEXT), max_size=5),
    instructions=_TEXT,
)
def test_whatever_is_said_is_within_its_bound(
    texts: list[str], calls: list[tuple[str, str]], instructions: str
) -> None:
    items: list[dict[str, Any]] = [{"role": "user", "content": text} for text in texts]
    for at, (given_text, result) in enumerate(calls):
        call = {"call_id": f"c{at}", "name": "f"}
        items.append({"type": "custom_tool_call", **call, "input": given_text})
        items.append({"type": "custom_tool_call_output", "call_id": f"c{at}", "output": result})
    document = {"model": MODEL, "input": items, "instructions": instructions}
    assert _read_bytes(document) <= _bound(document)
