"""The bytes that the fast provider answers with, prepared once, in each dialect.

A stream has its opening, so many events with a word each, and its end with the usage.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

INPUT_TOKENS: Final = 9
OUTPUT_TOKENS: Final = 16
STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
_TEXT = "word " * OUTPUT_TOKENS


@dataclass(frozen=True, slots=True)
class Answers:
    """One dialect's, all of them framed for HTTP.

    Attributes:
        plain: a whole answer with its head.
        opening: the stream's events before the first word.
        word: the event that is sent again and again.
        end: what is after the last word, the body's end included.
    """

    plain: bytes
    opening: bytes
    word: bytes
    end: bytes


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _plain(body: Mapping[str, Any]) -> bytes:
    raw = json.dumps(body).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(raw) + raw


def _data(event: Mapping[str, Any]) -> bytes:
    return _chunk(b"data: " + json.dumps(event).encode() + b"\n\n")


def _named(event: Mapping[str, Any]) -> bytes:
    name = event["type"].encode()
    return _chunk(b"event: " + name + b"\ndata: " + json.dumps(event).encode() + b"\n\n")


def _chat() -> Answers:
    usage = {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }
    answer = {"id": "chatcmpl-bench", "object": "chat.completion", "created": 1, "model": "bench"}
    message = {"role": "assistant", "content": _TEXT}
    whole = {"index": 0, "message": message, "finish_reason": "stop"}
    base = {**answer, "object": "chat.completion.chunk", "usage": None}
    word = {"index": 0, "delta": {"content": "word "}, "finish_reason": None}
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return Answers(
        plain=_plain({**answer, "choices": [whole], "usage": usage}),
        opening=b"",
        word=_data({**base, "choices": [word]}),
        end=_data({**base, "choices": [last]})
        + _data({**base, "choices": [], "usage": usage})
        + _chunk(b"data: [DONE]\n\n")
        + b"0\r\n\r\n",
    )


def _messages() -> Answers:
    message = {"id": "msg_bench", "type": "message", "role": "assistant", "model": "bench"}
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    block = {"type": "text", "text": ""}
    start: dict[str, Any] = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    delta = {"type": "text_delta", "text": "word "}
    return Answers(
        plain=_plain({**message, "content": [{**block, "text": _TEXT}], **stop, "usage": usage}),
        opening=_named({"type": "message_start", "message": start})
        + _named({"type": "content_block_start", "index": 0, "content_block": block}),
        word=_named({"type": "content_block_delta", "index": 0, "delta": delta}),
        end=_named({"type": "content_block_stop", "index": 0})
        + _named({"type": "message_delta", "delta": stop, "usage": usage})
        + _named({"type": "message_stop"})
        + b"0\r\n\r\n",
    )


def _responses() -> Answers:
    usage = {
        "input_tokens": INPUT_TOKENS,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": OUTPUT_TOKENS,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }
    begun = {
        "id": "resp_bench",
        "object": "response",
        "created_at": 1,
        "status": "in_progress",
        "model": "bench",
        "output": [],
        "usage": None,
    }
    part = {"type": "output_text", "text": _TEXT, "annotations": []}
    item = {"id": "msg_bench", "type": "message", "role": "assistant", "status": "completed"}
    done = {**begun, "status": "completed", "output": [{**item, "content": [part]}], "usage": usage}
    place = {"item_id": "msg_bench", "output_index": 0, "content_index": 0, "sequence_number": 4}
    added = {"output_index": 0, "item": {**item, "content": []}, "sequence_number": 2}
    return Answers(
        plain=_plain(done),
        opening=_named({"type": "response.created", "response": begun, "sequence_number": 0})
        + _named({"type": "response.output_item.added", **added})
        + _named({"type": "response.content_part.added", **place, "part": {**part, "text": ""}}),
        word=_named({"type": "response.output_text.delta", **place, "delta": "word "}),
        end=_named({"type": "response.output_text.done", **place, "text": _TEXT})
        + _named({"type": "response.content_part.done", **place, "part": part})
        + _named({"type": "response.output_item.done", **added})
        + _named({"type": "response.completed", "response": done, "sequence_number": 8})
        + b"0\r\n\r\n",
    )


_BY_PATH: Final = {
    b"/chat/completions": _chat(),
    b"/messages": _messages(),
    b"/responses": _responses(),
}


def answers_at(path: bytes) -> Answers:
    """What is served at a path, by its end; chat where nothing else fits."""
    for end, answers in _BY_PATH.items():
        if path.endswith(end):
            return answers
    return _BY_PATH[b"/chat/completions"]
