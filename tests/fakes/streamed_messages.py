"""Answers of Anthropic's Messages made up, and the streams that the same answers could come in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
COUNTS = st.integers(0, 10**6)
_BLOCKS = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}),
    st.fixed_dictionaries(
        {"type": st.just("thinking"), "thinking": TEXTS, "signature": NAMES | st.just("")}
    ),
    st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": NAMES}),
    st.fixed_dictionaries(
        {
            "type": st.just("tool_use"),
            "id": NAMES,
            "name": NAMES,
            "input": st.dictionaries(TEXTS, VALUES, max_size=3),
        }
    ),
)
ANSWERS = st.fixed_dictionaries(
    {
        "id": NAMES,
        "type": st.just("message"),
        "role": st.just("assistant"),
        "model": st.just("claude"),
        "content": st.lists(_BLOCKS, max_size=5),
        "stop_reason": st.sampled_from(
            [
                "end_turn",
                "max_tokens",
                "stop_sequence",
                "tool_use",
                "pause_turn",
                "refusal",
                "model_context_window_exceeded",
            ]
        ),
        "stop_sequence": st.none(),
        "stop_details": st.none() | st.fixed_dictionaries({"explanation": st.none() | NAMES}),
        "usage": st.fixed_dictionaries(
            {
                "input_tokens": COUNTS,
                "output_tokens": st.integers(1, 10**6),
                "cache_read_input_tokens": COUNTS | st.none(),
                "cache_creation_input_tokens": COUNTS,
            }
        ),
    }
)
_PIECES = {
    "text": ("text", "text_delta", "text"),
    "thinking": ("thinking", "thinking_delta", "thinking"),
    "tool_use": ("input", "input_json_delta", "partial_json"),
}


def events_of(answer: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
    """The answer's stream, in pieces of `size` characters."""
    start = {**answer, "content": [], "stop_reason": None, "stop_details": None}
    start["usage"] = {**answer["usage"], "output_tokens": 1}
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    for index, block in enumerate(answer["content"]):
        yield from _block_events(index, block, size)
    delta = {"stop_reason": answer["stop_reason"], "stop_details": answer["stop_details"]}
    used = {"output_tokens": answer["usage"]["output_tokens"]}
    yield {"type": "message_delta", "delta": delta, "usage": used}
    yield {"type": "message_stop"}


def _block_events(index: int, block: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
    kind = block["type"]
    field, delta_type, delta_field = _PIECES.get(kind, ("", "", ""))
    whole = block.get(field, "")
    empty: Any = "" if isinstance(whole, str) else {}
    begun = {**block, field: empty} if field else dict(block)
    if kind == "thinking":
        begun["signature"] = ""
    yield {"type": "content_block_start", "index": index, "content_block": begun}
    text = whole if isinstance(whole, str) else json.dumps(whole) if whole else ""
    for piece in pieces(text, size):
        delta = {"type": delta_type, delta_field: piece}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    if kind == "thinking":
        delta = {"type": "signature_delta", "signature": block["signature"]}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]
