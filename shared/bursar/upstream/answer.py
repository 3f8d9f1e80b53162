"""The part of an answer that is the same whichever HTTP library carries it."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from bursar.domain.errors import UpstreamError
from bursar.upstream.decoding import decoder_for, without_encoding
from bursar.upstream.failures import undecodable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from bursar.upstream.decoding import Decoder

_LOOK_FOR_END_S = 0.05


def joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name in lower case; repeated ones joined as RFC 9110, section 5.3 allows."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class StreamedAnswer(ABC):
    """Decodes the body where it must and decides whether its connection can be used again.

    Who reads an SSE stream stops at its terminal event and does not see that the body ends right
    behind it. So `close` looks for that end for a moment, and drops the connection if anything
    else is there. Subclasses bring the bytes and let go of the connection.
    """

    def __init__(self, *, provider: str, status: int, headers: Mapping[str, str]) -> None:
        self._provider = provider
        self._status = status
        self._decoder = decoder_for(headers)
        self._headers = headers if self._decoder is None else without_encoding(headers)
        self._at_rest = True
        self._ended = False
        self._closed = False

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    def chunks(self) -> AsyncIterator[bytes]:
        """The decoded body as it arrives, once."""
        return self._raw() if self._decoder is None else self._decoded(self._decoder)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if not self._ended and self._at_rest:
                await self._look_for_the_end()
        finally:
            await self._let_go()

    @abstractmethod
    async def _read(self) -> bytes:
        """The next bytes of the body as they were sent, none at its end.

        Raises:
            UpstreamTimeout: no byte came in time.
            UpstreamBroken: the connection ended first.
        """

    @abstractmethod
    async def _let_go(self) -> None:
        """Keep the connection if the body was read to its end, else close it."""

    async def _raw(self) -> AsyncIterator[bytes]:
        while not (self._closed or self._ended):
            self._at_rest = False
            data = await self._read()
            self._at_rest = True  # and stays False when the read failed or was cancelled
            self._ended = not data
            if data:
                yield data

    async def _look_for_the_end(self) -> None:
        with contextlib.suppress(TimeoutError, UpstreamError):
            async with asyncio.timeout(_LOOK_FOR_END_S):
                self._ended = not await self._read()

    async def _decoded(self, decoder: Decoder) -> AsyncIterator[bytes]:
        try:
            async for data in self._raw():
                if decoded := decoder.feed(data):
                    yield decoded
            decoder.finish()
        except ValueError:
            raise undecodable(self._provider) from None
