"""A provider that answers at once: a few microseconds of CPU a request, so that others show.

Raw asyncio, prepared bytes, no HTTP library. The request's path or body picks the answer:
`"stream":true` streams, and a model whose name holds `paced` sends an event every 10 ms where
others send all of them in one write. `python -m tests.benchmarks.fast_upstream --port 0`
prints the port it listens on.
"""

from __future__ import annotations

import argparse
import asyncio
import json

EVENTS = 200
PACE_S = 0.01
COMPLETION_TOKENS = 16

_USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": COMPLETION_TOKENS,
    "total_tokens": 9 + COMPLETION_TOKENS,
}
_PLAIN_BODY = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "word " * COMPLETION_TOKENS},
                "finish_reason": "stop",
            }
        ],
        "usage": _USAGE,
    }
).encode()
PLAIN_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    % len(_PLAIN_BODY)
) + _PLAIN_BODY
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(choices: list[dict[str, object]], usage: object) -> bytes:
    chunk = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "bench",
        "choices": choices,
        "usage": usage,
    }
    return _framed(b"data: " + json.dumps(chunk).encode() + b"\n\n")


CONTENT_EVENT = _event(
    [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}], usage=None
)
STREAM_END = (
    _event([{"index": 0, "delta": {}, "finish_reason": "stop"}], usage=None)
    + _event([], usage=_USAGE)
    + _framed(b"data: [DONE]\n\n")
    + b"0\r\n\r\n"
)
_BURST = STREAM_HEAD + CONTENT_EVENT * EVENTS + STREAM_END


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
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        assert self._transport is not None
        if b'"stream":true' not in body and b'"stream": true' not in body:
            self._transport.write(PLAIN_ANSWER)
        elif b"paced" in body:
            self._paced = asyncio.get_running_loop().create_task(self._pace(self._transport))
        else:
            self._transport.write(_BURST)

    async def _pace(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        transport.write(STREAM_HEAD + CONTENT_EVENT)
        for number in range(1, EVENTS):
            await asyncio.sleep(started + number * PACE_S - loop.time())
            transport.write(CONTENT_EVENT)
        transport.write(STREAM_END)


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
