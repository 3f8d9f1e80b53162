"""What any-llm's SDK sends to a provider of another dialect, and what it makes of the answer.

It reads a list of calls as JSON, each with the answer that the provider gives, and prints what came
of each. The provider is in this process, on a port of this machine's own.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from any_llm import AnyLLM  # type: ignore[import-not-found]


class Provider(ThreadingHTTPServer):
    """Answers every request with what it was given, and keeps the last request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: dict[str, str] = {}
        self.asked: dict[str, Any] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.server.asked = json.loads(self.rfile.read(length))
        body = base64.b64decode(self.server.answer["body"])
        self.send_response(200)
        self.send_header("content-type", self.server.answer["content_type"])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: standard error is for faults."""


async def outcome_of(provider: Provider, call: dict[str, Any]) -> dict[str, Any]:
    """What was sent, and what was answered or raised."""
    provider.answer, provider.asked = call["answer"], None
    try:
        base = provider.url + call["path"]
        llm = AnyLLM.create(call["provider"], api_base=base, **call["credentials"])
        given = await getattr(llm, call["method"])(**call["arguments"])
        answer = await _documents(given)
    except Exception as error:  # noqa: BLE001 - the test says what it should be
        return {"sent": provider.asked, "raised": type(error).__name__, "says": str(error)}
    return {"sent": provider.asked, "answer": answer}


async def _documents(given: Any) -> Any:
    if hasattr(given, "model_dump"):
        return given.model_dump(mode="json", exclude_none=True)
    return [each.model_dump(mode="json", exclude_none=True) async for each in given]


async def main() -> list[dict[str, Any]]:
    provider = Provider()
    Thread(target=provider.serve_forever, daemon=True).start()
    return [await outcome_of(provider, call) for call in json.load(sys.stdin)]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
