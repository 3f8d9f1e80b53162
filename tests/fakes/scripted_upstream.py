"""A provider in memory that answers what a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from bursar.domain.upstream import UpstreamRequest

EVENT_STREAM = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


@dataclass
class ScriptedAnswer:
    """Chunks are sent in order; an exception among them is raised, an event is waited for."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    script: Sequence[bytes | Exception | asyncio.Event] = ()
    is_closed: bool = False

    async def chunks(self) -> AsyncIterator[bytes]:
        for step in self.script:
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, Exception):
                raise step
            else:
                yield step

    async def close(self) -> None:
        self.is_closed = True


class ScriptedUpstream:
    """Gives one answer, or raises one exception, for every request."""

    def __init__(self) -> None:
        self.answer: ScriptedAnswer | Exception | None = None
        self.requests: list[UpstreamRequest] = []

    @property
    def sent(self) -> dict[str, object]:
        """The last request's body."""
        body: dict[str, object] = msgspec.json.decode(self.requests[-1].body)
        return body

    async def send(self, request: UpstreamRequest) -> ScriptedAnswer:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer

    async def close(self) -> None:
        return


def completion(
    prompt_tokens: int = 10, completion_tokens: int = 5, text: str = "hi"
) -> ScriptedAnswer:
    body = {
        "id": "c1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }
    return ScriptedAnswer(script=[msgspec.json.encode(body)])


def delta(text: str) -> bytes:
    return event({"id": "c1", "choices": [{"index": 0, "delta": {"content": text}}]})


def usage_chunk(prompt_tokens: int = 10, completion_tokens: int = 5) -> bytes:
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
    return event({"id": "c1", "choices": [], "usage": usage})


def event(chunk: object) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def stream(*script: bytes | Exception | asyncio.Event) -> ScriptedAnswer:
    return ScriptedAnswer(headers=EVENT_STREAM, script=script)
