"""The part of an answer that is the same whichever HTTP library carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.upstream.decoding import decoder_for, without_encoding
from bursar.upstream.failures import undecodable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping


def joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name in lower case; repeated ones joined as RFC 9110, section 5.3 allows."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class StreamedAnswer:
    """Decodes the body where it must; subclasses bring the bytes and close the connection."""

    def __init__(self, *, provider: str, status: int, headers: Mapping[str, str]) -> None:
        self._provider = provider
        self._status = status
        self._decoder = decoder_for(headers)
        self._headers = headers if self._decoder is None else without_encoding(headers)

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    def chunks(self) -> AsyncIterator[bytes]:
        """The decoded body as it arrives, once."""
        return self._raw() if self._decoder is None else self._decoded()

    def _raw(self) -> AsyncIterator[bytes]:
        raise NotImplementedError

    async def _decoded(self) -> AsyncIterator[bytes]:
        decoder = self._decoder
        assert decoder is not None  # noqa: S101 - for the type checker; `chunks` saw it
        try:
            async for data in self._raw():
                if decoded := decoder.feed(data):
                    yield decoded
            decoder.finish()
        except ValueError:
            raise undecodable(self._provider) from None
