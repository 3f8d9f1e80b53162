"""The mock provider's chat completions."""

from __future__ import annotations

import hashlib
import json
import math
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_CHOICES = 16

_INTRODUCTION = "This answer comes from Bursar's mock provider, which needs no key."
_MAX_QUOTED_WORDS = 200


class MockChat:
    """One chat request, understood."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        messages = body["messages"]
        prompt = " ".join(_text(message.get("content")) for message in messages)
        said = [_text(one.get("content")) for one in messages if one.get("role") == "user"]
        words = _words(said[-1] if said else "")
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        self._cut = limit is not None and int(limit) < len(words)
        self._words = words[: int(limit)] if limit is not None else words
        self._choices = range(min(int(body.get("n") or 1), MAX_CHOICES))
        self._usage = _usage(prompt, len(self._words) * len(self._choices))
        self._wants_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        self._base = {"created": int(time.time()), "model": str(body["model"])}
        self._id = "chatcmpl-mock" + hashlib.sha256(prompt.encode()).hexdigest()[:16]

    @property
    def _finish(self) -> str:
        return "length" if self._cut else "stop"

    def completion(self) -> Mapping[str, Any]:
        message = {"role": "assistant", "content": " ".join(self._words), "refusal": None}
        choices = [
            {"index": index, "message": message, "logprobs": None, "finish_reason": self._finish}
            for index in self._choices
        ]
        head = {"id": self._id, "object": "chat.completion", **self._base}
        return {**head, "choices": choices, "usage": self._usage}

    def events(self) -> Iterator[bytes]:
        usage = {"usage": None} if self._wants_usage else {}
        head = {"id": self._id, "object": "chat.completion.chunk", **self._base, **usage}
        for delta, finish in self._deltas():
            choices = [
                {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
                for index in self._choices
            ]
            yield _event({**head, "choices": choices})
        if self._wants_usage:
            yield _event({**head, "choices": [], "usage": self._usage})
        yield b"data: [DONE]\n\n"

    def _deltas(self) -> Iterator[tuple[Mapping[str, str], str | None]]:
        yield {"role": "assistant", "content": ""}, None
        for number, word in enumerate(self._words):
            yield {"content": word if number == 0 else f" {word}"}, None
        yield {}, self._finish


def _words(said: str) -> list[str]:
    quoted = said.split()
    shown = quoted[:_MAX_QUOTED_WORDS] + (["…"] if len(quoted) > _MAX_QUOTED_WORDS else [])
    return [*_INTRODUCTION.split(), "You", "said:", *shown] if shown else _INTRODUCTION.split()


def _text(content: object) -> str:
    """The text of a message, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(str(part["text"]) for part in content if "text" in part)
    return ""


def _usage(prompt: str, completion_tokens: int) -> dict[str, int]:
    prompt_tokens = prompt_tokens_of(prompt)
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def prompt_tokens_of(prompt: str) -> int:
    return math.ceil(len(prompt.encode()) / 4)


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + to_json(body) + b"\n\n"


def to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
