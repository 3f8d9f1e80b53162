"""Answers of Bedrock's Converse made up, and the streams that the same answers could come in."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.fakes.streamed_messages import COUNTS, NAMES, TEXTS, VALUES, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SIGNED = st.fixed_dictionaries({"text": TEXTS}, optional={"signature": NAMES})
_REDACTED = st.binary(min_size=1, max_size=9).map(lambda data: base64.b64encode(data).decode())
_TOOL_USE = st.fixed_dictionaries(
    {"toolUseId": NAMES, "name": NAMES, "input": st.dictionaries(TEXTS, VALUES, max_size=3)}
)
_BLOCKS = st.one_of(
    st.fixed_dictionaries({"text": TEXTS}),
    st.fixed_dictionaries({"toolUse": _TOOL_USE}),
    st.fixed_dictionaries(
        {
            "reasoningContent": st.one_of(
                st.fixed_dictionaries({"reasoningText": _SIGNED}),
                st.fixed_dictionaries({"redactedContent": _REDACTED}),
            )
        }
    ),
)
ANSWERS = st.fixed_dictionaries(
    {
        "output": st.fixed_dictionaries(
            {
                "message": st.fixed_dictionaries(
                    {"role": st.just("assistant"), "content": st.lists(_BLOCKS, max_size=5)}
                )
            }
        ),
        "stopReason": st.sampled_from(
            [
                "end_turn",
                "tool_use",
                "max_tokens",
                "stop_sequence",
                "guardrail_intervened",
                "content_filtered",
                "malformed_tool_use",
                "model_context_window_exceeded",
            ]
        ),
        "usage": st.fixed_dictionaries(
            {"inputTokens": COUNTS, "outputTokens": st.integers(1, 10**6)},
            optional={"cacheReadInputTokens": COUNTS, "cacheWriteInputTokens": COUNTS},
        ),
    }
)


def events_of(answer: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
    """The answer's stream, in pieces of `size` characters."""
    yield {"messageStart": {"role": "assistant"}}
    for index, block in enumerate(answer["output"]["message"]["content"]):
        if "toolUse" in block:
            start = {name: block["toolUse"][name] for name in ("toolUseId", "name")}
            yield {"contentBlockStart": {"start": {"toolUse": start}, "contentBlockIndex": index}}
        for delta in _deltas(block, size):
            yield {"contentBlockDelta": {"delta": delta, "contentBlockIndex": index}}
        yield {"contentBlockStop": {"contentBlockIndex": index}}
    yield {"messageStop": {"stopReason": answer["stopReason"]}}
    yield {"metadata": {"usage": answer["usage"], "metrics": {"latencyMs": 1}}}


def _deltas(block: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
    if "text" in block:
        yield from ({"text": piece} for piece in pieces(block["text"], size))
    elif "toolUse" in block:
        used = block["toolUse"]["input"]
        for piece in pieces(json.dumps(used) if used else "", size):
            yield {"toolUse": {"input": piece}}
    else:
        for delta in _reasoning(block["reasoningContent"], size):
            yield {"reasoningContent": delta}


def _reasoning(block: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
    if "redactedContent" in block:
        data = base64.b64decode(block["redactedContent"])
        for at in range(0, len(data), size):
            yield {"redactedContent": base64.b64encode(data[at : at + size]).decode()}
        return
    yield from ({"text": piece} for piece in pieces(block["reasoningText"]["text"], size))
    if "signature" in block["reasoningText"]:
        yield {"signature": block["reasoningText"]["signature"]}
