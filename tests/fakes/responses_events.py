"""Streams in the shape of OpenAI's Responses API: each event names itself, numbered in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes import responses_shapes as shapes
from tests.fakes import scripted_content as content
from tests.fakes.openai_shapes import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.openai_behaviour import Behaviour

Event = dict[str, Any]
_CALL_FIELDS = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
}


def response_events(
    request: Mapping[str, Any], behaviour: Behaviour, number: int
) -> Iterator[bytes]:
    """The events of a stream, the terminal one included."""
    for at, event in enumerate(_events(request, behaviour, number)):
        yield named({**event, "sequence_number": at})


def error_event(at: int) -> bytes:
    error = {"code": "server_error", "message": content.error_message(500), "param": None}
    return named({"type": "error", **error, "sequence_number": at})


def named(event: Mapping[str, Any]) -> bytes:
    """One event of a stream whose events have names."""
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), as_json(event))


def _events(request: Mapping[str, Any], behaviour: Behaviour, number: int) -> Iterator[Event]:
    first = shapes.begun(request, number)
    yield {"type": "response.created", "response": first}
    yield {"type": "response.in_progress", "response": first}
    for at, item in enumerate(shapes.output(request, behaviour)):
        begun = {**item, **_emptied(item)}
        yield {"type": "response.output_item.added", "output_index": at, "item": begun}
        place = {"item_id": item["id"], "output_index": at}
        yield from ({**event, **place} for event in _within(item))
        yield {"type": "response.output_item.done", "output_index": at, "item": item}
    if behaviour.fault != "no_done":
        last = shapes.ended(request, behaviour, number)
        yield {"type": f"response.{last['status']}", "response": last}


def _emptied(item: Mapping[str, Any]) -> dict[str, Any]:
    if item["type"] == "reasoning":
        return {"summary": []}
    if item["type"] == "message":
        return {"content": [], "status": "in_progress"}
    return {_CALL_FIELDS[item["type"]][0]: "", "status": "in_progress"}


def _within(item: Mapping[str, Any]) -> Iterator[Event]:
    if item["type"] == "reasoning":
        return _summary_events(item["summary"][0])
    if item["type"] == "message":
        return _text_events(item["content"][0])
    return _call_events(item)


def _summary_events(part: Mapping[str, Any]) -> Iterator[Event]:
    head = "response.reasoning_summary"
    yield {"type": f"{head}_part.added", "part": {**part, "text": ""}, "summary_index": 0}
    for piece in words_of(part["text"]):
        yield {"type": f"{head}_text.delta", "delta": piece, "summary_index": 0}
    yield {"type": f"{head}_text.done", "text": part["text"], "summary_index": 0}
    yield {"type": f"{head}_part.done", "part": part, "summary_index": 0}


def _text_events(part: Mapping[str, Any]) -> Iterator[Event]:
    yield {"type": "response.content_part.added", "part": {**part, "text": ""}, "content_index": 0}
    for piece in words_of(part["text"]):
        delta = {"delta": piece, "content_index": 0, "logprobs": []}
        yield {"type": "response.output_text.delta", **delta}
    done = {"text": part["text"], "content_index": 0, "logprobs": []}
    yield {"type": "response.output_text.done", **done}
    yield {"type": "response.content_part.done", "part": part, "content_index": 0}


def _call_events(item: Mapping[str, Any]) -> Iterator[Event]:
    field, head = _CALL_FIELDS[item["type"]]
    for piece in content.pieces_of(item[field]):
        yield {"type": f"{head}.delta", "delta": piece}
    done: Event = {"type": f"{head}.done", field: item[field]}
    yield done if item["type"] == "custom_tool_call" else {**done, "name": item["name"]}


def words_of(text: str) -> list[str]:
    """Words, each with the space before it; the last event has what would be too many."""
    words = text.split(" ", content.MAX_EVENTS)
    return [words[0], *(f" {word}" for word in words[1:])]
