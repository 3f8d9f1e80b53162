"""How a fake provider sends an answer, whole, in pieces or broken off, whatever its dialect."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.fakes.http_server import Exchange
    from tests.fakes.openai_behaviour import Behaviour

FOREVER_S = 3600.0
_LOOK_AGAIN_S = 0.005


@dataclass(frozen=True, slots=True)
class Voice:
    """What answers in one dialect have in common.

    Attributes:
        headers: of every answer.
        error_body: of an error, by its status.
        error_event: what a stream says that fails, by the number of events before it.
    """

    headers: Mapping[str, str]
    error_body: Callable[[int], bytes]
    error_event: Callable[[int], bytes]

    def json_headers(self) -> dict[str, str]:
        return {"content-type": "application/json", **self.headers}

    def stream_headers(self) -> dict[str, str]:
        return {"content-type": "text/event-stream; charset=utf-8", **self.headers}


async def answer_error(exchange: Exchange, voice: Voice, behaviour: Behaviour) -> None:
    headers = voice.json_headers()
    if behaviour.retry_after is not None:
        headers["retry-after"] = behaviour.retry_after
    await exchange.answer(behaviour.status, headers, voice.error_body(behaviour.status))


async def answer_whole(exchange: Exchange, voice: Voice, body: bytes, behaviour: Behaviour) -> None:
    headers, (body,) = _encoded(voice.json_headers(), [body], behaviour)
    await _let_go(exchange, behaviour)
    await exchange.head(200, headers, length=len(body))
    if behaviour.fault in ("rst", "fin", "stall"):
        await exchange.send(body[: behaviour.fault_after])
        await _go_wrong(exchange, voice, behaviour)
        return
    for piece in _pieces(body, behaviour.chunk_bytes):
        await exchange.send(piece)
    await exchange.end()


async def answer_stream(
    exchange: Exchange, voice: Voice, events: Iterable[bytes], behaviour: Behaviour
) -> None:
    headers, events = _encoded(voice.stream_headers(), list(events), behaviour)
    await exchange.head(200, headers)
    for at, event in enumerate(events):
        if at == behaviour.fault_after and await _go_wrong(exchange, voice, behaviour):
            return
        if at == 1:
            await _let_go(exchange, behaviour)
        if at and behaviour.pace_s:
            await exchange.pause(behaviour.pace_s)
        for piece in _pieces(event, behaviour.chunk_bytes):
            await exchange.send(piece)
    await exchange.end()


async def _let_go(exchange: Exchange, behaviour: Behaviour) -> None:
    while behaviour.is_held is not None and behaviour.is_held():
        await exchange.pause(_LOOK_AGAIN_S)


async def _go_wrong(exchange: Exchange, voice: Voice, behaviour: Behaviour) -> bool:
    """Do the scripted fault, and tell whether the answer is over."""
    if behaviour.fault == "rst":
        await asyncio.sleep(0.02)  # a reset may overtake data that was not yet read
        exchange.reset()
    elif behaviour.fault == "fin":
        exchange.hang_up()
    elif behaviour.fault == "stall":
        await exchange.pause(FOREVER_S)
    elif behaviour.fault == "error_event":
        await exchange.send(voice.error_event(behaviour.fault_after))
        await exchange.end()
    return behaviour.fault not in ("none", "no_done")


def _encoded(
    headers: dict[str, str], parts: list[bytes], behaviour: Behaviour
) -> tuple[dict[str, str], list[bytes]]:
    if not behaviour.gzip:
        return headers, parts
    return {**headers, "content-encoding": "gzip"}, [gzip.compress(b"".join(parts))]


def _pieces(data: bytes, size: int | None) -> Iterator[bytes]:
    for at in range(0, len(data), size or len(data)):
        yield data[at : at + (size or len(data))]
