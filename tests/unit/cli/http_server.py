"""A server on this machine that answers as a test says."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


@dataclass
class Server:
    """Answers every request alike, and keeps what it was asked.

    Attributes:
        closes: each connection after its first answer, which it does not announce.
        asked: the path and the headers, in lower case, of every request.
        ports: the client's, of every request.
    """

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"[]"
    closes: bool = False
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    says: Server

    def do_GET(self) -> None:
        says = self.says
        says.asked.append((self.path, {name.lower(): it for name, it in self.headers.items()}))
        says.ports.append(self.client_address[1])
        body = says.body
        if self.path.startswith("/health"):
            body = b'{"status": "healthy", "database": "connected", "version": "1"}'
        elif self.path.startswith("/v1/usage"):
            body = b'{"data": [], "next_cursor": null}'
        self.send_response(says.status)
        for name, value in says.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        # Without a word: the client finds out when it asks again.
        self.close_connection = says.closes

    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    says = Server()
    handler = type("Handler", (_Handler,), {"says": says})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if context is None else "https"
    says.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield says
    finally:
        server.shutdown()
        server.server_close()
