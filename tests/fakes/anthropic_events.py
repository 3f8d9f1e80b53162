"""Streams in the shape of Anthropic's Messages API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.fakes import anthropic_shapes as shapes
from tests.fakes import scripted_content as content
from tests.fakes.responses_events import named, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.openai_behaviour import Behaviour

Event = dict[str, Any]


def message_events(
    request: Mapping[str, Any], behaviour: Behaviour, number: int
) -> Iterator[bytes]:
    """The events of a stream, `message_stop` included."""
    yield named(_start(request, behaviour, number))
    for at, block in enumerate(shapes.blocks(request, behaviour)):
        yield named({"type": "content_block_start", "index": at, "content_block": _emptied(block)})
        if not at:
            yield named({"type": "ping"})
        for delta in _deltas(block):
            yield named({"type": "content_block_delta", "index": at, "delta": delta})
        yield named({"type": "content_block_stop", "index": at})
    yield named(_end(request, behaviour))
    if behaviour.fault != "no_done":
        yield named({"type": "message_stop"})


def error_event(_: int) -> bytes:
    return named(shapes.error(529))


def _start(request: Mapping[str, Any], behaviour: Behaviour, number: int) -> Event:
    message = shapes.empty_message(request, number)
    if behaviour.usage == "asked":
        counted = {"output_tokens": 1, "service_tier": "standard"}
        message["usage"] = {**shapes.input_usage(request, behaviour), **counted}
    return {"type": "message_start", "message": message}


def _end(request: Mapping[str, Any], behaviour: Behaviour) -> Event:
    stop = {"stop_reason": shapes.stop_reason(request, behaviour), "stop_sequence": None}
    event: Event = {"type": "message_delta", "delta": stop}
    if behaviour.usage != "never":
        counted = shapes.usage(request, behaviour)
        unsaid = ("cache_creation", "service_tier")
        event["usage"] = {name: counted[name] for name in counted if name not in unsaid}
    return event


def _emptied(block: Mapping[str, Any]) -> dict[str, Any]:
    kind = block["type"]
    if kind == "text":
        return {**block, "text": ""}
    if kind == "thinking":
        return {**block, "thinking": "", "signature": ""}
    return {**block, "input": {}} if kind in ("tool_use", "server_tool_use") else dict(block)


def _deltas(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    kind = block["type"]
    if kind == "text":
        yield from ({"type": "text_delta", "text": piece} for piece in words_of(block["text"]))
    elif kind == "thinking":
        for piece in words_of(block["thinking"]):
            yield {"type": "thinking_delta", "thinking": piece}
        yield {"type": "signature_delta", "signature": block["signature"]}
    elif kind in ("tool_use", "server_tool_use"):
        given = json.dumps(block["input"], ensure_ascii=False)
        for piece in ("", *content.pieces_of(given)):
            yield {"type": "input_json_delta", "partial_json": piece}
