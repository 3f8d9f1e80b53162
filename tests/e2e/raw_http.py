"""HTTP/1.1 by hand, for what no HTTP library would send or leave undone."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class RawResponse:
    """Names of headers are in lower case; the body is decoded from its chunks."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def message(
    method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, chunk_bytes: int = 0
) -> bytes:
    """A request's bytes; with `chunk_bytes` its body is sent in chunks of that size."""
    lines = [f"{method} {path} HTTP/1.1", "host: gateway"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if chunk_bytes:
        lines.append("transfer-encoding: chunked")
        pieces = [body[at : at + chunk_bytes] for at in range(0, len(body), chunk_bytes)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    elif body:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One connection to a gateway."""

    def __init__(self, port: int, *, receive_buffer_bytes: int | None = None) -> None:
        self._socket = socket.socket()
        if receive_buffer_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self._socket.settimeout(30)
        self._socket.connect(("127.0.0.1", port))
        self._file = self._socket.makefile("rb", buffering=4096)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read_until(self, end: bytes) -> bytes:
        """Read line by line up to one that ends so."""
        seen = b""
        while not seen.endswith(end):
            line = self._file.readline()
            if not line:
                raise EOFError(f"the gateway closed the connection after {seen!r}")
            seen += line
        return seen

    def response(self, *, has_body: bool = True) -> RawResponse:
        """Read one whole response."""
        status, headers = self.head()
        if not has_body:
            return RawResponse(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return RawResponse(status, headers, b"".join(iter(self.chunk, b"")))
        return RawResponse(status, headers, self._file.read(int(headers["content-length"])))

    def head(self) -> tuple[int, Mapping[str, str]]:
        first, *lines = self.read_until(b"\r\n\r\n").decode().split("\r\n")[:-2]
        named = [line.partition(":") for line in lines]
        return int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in named}

    def chunk(self) -> bytes:
        """One chunk of a body, empty at its end."""
        data: bytes = self._file.read(int(self._file.readline(), 16))
        self._file.readline()
        return data

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def reset(self) -> None:
        """Leave without a word."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()
