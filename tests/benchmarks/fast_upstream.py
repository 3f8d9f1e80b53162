"""A provider that answers at once: a few microseconds of CPU a request, so that others show.

Raw asyncio, prepared bytes, no HTTP library. The path's end picks the dialect and the body what is
sent: `"stream":true` streams, and a model whose name holds `paced` sends an event every 10 ms where
others send all of them in one write; with `long` it sends more of them. Paced streams are out of
step with each other, and always by as much: who gets many events at once reads them for less.
`python -m tests.benchmarks.fast_upstream --port 0` prints the port it listens on.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools

from tests.benchmarks.fast_answers import STREAM_HEAD, Answers, answers_at

EVENTS = 200
LONG_EVENTS = 600
PACE_S = 0.01
STEPS = 8


class FastUpstream(asyncio.Protocol):
    """One connection; requests may be pipelined only after the answer before them."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._paced: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._paced is not None:
            self._paced.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end_of_head = self._buffer.find(b"\r\n\r\n")
            if end_of_head < 0:
                return
            head = self._buffer[:end_of_head].lower()
            body_end = end_of_head + 4 + _content_length(head)
            if len(self._buffer) < body_end:
                return
            body = self._buffer[end_of_head + 4 : body_end]
            self._buffer = self._buffer[body_end:]
            self._answer(answers_at(_path(head)), body)

    def _answer(self, answers: Answers, body: bytes) -> None:
        assert self._transport is not None
        events = LONG_EVENTS if b"long" in body else EVENTS
        if b'"stream":true' not in body and b'"stream": true' not in body:
            self._transport.write(answers.plain)
        elif b"paced" in body:
            pacing = self._pace(self._transport, answers, events)
            self._paced = asyncio.get_running_loop().create_task(pacing)
        else:
            burst = answers.opening + answers.word * events + answers.end
            self._transport.write(STREAM_HEAD + burst)

    async def _pace(self, transport: asyncio.Transport, answers: Answers, events: int) -> None:
        loop = asyncio.get_running_loop()
        started = _in_step(loop.time(), next(_STREAMS) % STEPS)
        transport.write(STREAM_HEAD + answers.opening + answers.word)
        for number in range(1, events):
            await asyncio.sleep(started + number * PACE_S - loop.time())
            transport.write(answers.word)
        transport.write(answers.end)


_STREAMS = itertools.count()


def _in_step(now_s: float, step: int) -> float:
    """The next time that a stream's events are due at, whenever it was asked for."""
    return (now_s // PACE_S + 1 + step / STEPS) * PACE_S


def _path(head: bytes) -> bytes:
    return head.split(b" ", 2)[1].partition(b"?")[0]


def _content_length(head: bytes) -> int:
    at = head.find(b"content-length:")
    if at < 0:
        return 0
    end = head.find(b"\r\n", at)
    return int(head[at + 15 : end if end > 0 else None])


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(FastUpstream, "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
