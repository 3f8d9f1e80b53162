"""A provider in this very process, so that a first request works without anybody's key.

Tokens are words: an answer of seven words is billed as seven tokens. Prompts are billed a token
for every four bytes.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from bursar.domain.upstream import CHAT_ENDPOINT, EMBEDDINGS_ENDPOINT, Provider, Target
from bursar.upstream.mock_chat import MockChat, to_json
from bursar.upstream.mock_embeddings import embeddings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bursar.domain.upstream import UpstreamRequest

MOCK_PROVIDER = Provider(
    name="mock",
    base_url="mock://mock",
    needs_key=False,
    endpoints={"chat": CHAT_ENDPOINT, "embeddings": EMBEDDINGS_ENDPOINT},
)
MOCK_TARGET = Target(provider=MOCK_PROVIDER, base_url="mock://mock")


class MockUpstream:
    """Answers chat completions, streamed or not, and embeddings, in OpenAI's shapes.

    Args:
        word_delay_s: the pause between the words of a stream, to see it stream.
    """

    def __init__(self, word_delay_s: float = 0.02) -> None:
        self._word_delay_s = word_delay_s

    async def send(self, request: UpstreamRequest) -> MockAnswer:
        try:
            body = json.loads(request.body)
            return self._answer(request.url, body)
        except (ValueError, TypeError, KeyError, AttributeError):
            return _error(400, "The mock provider does not understand this request.")

    async def close(self) -> None:
        """Nothing to let go of."""

    def _answer(self, url: str, body: Mapping[str, Any]) -> MockAnswer:
        if url.endswith("/embeddings"):
            return _whole(200, embeddings(body))
        if not url.endswith("/chat/completions"):
            return _error(404, "The mock provider has no such endpoint.")
        chat = MockChat(body)
        if body.get("stream"):
            return MockAnswer(200, "text/event-stream", list(chat.events()), self._word_delay_s)
        return _whole(200, chat.completion())


class MockAnswer:
    """An UpstreamAnswer; after `close` it yields no more."""

    def __init__(
        self, status: int, content_type: str, parts: list[bytes], delay_s: float = 0.0
    ) -> None:
        self._status = status
        self._headers = {"content-type": content_type}
        self._parts = parts
        self._delay_s = delay_s
        self._closed = False

    @property
    def status(self) -> int:
        return self._status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    async def chunks(self) -> AsyncIterator[bytes]:
        for number, part in enumerate(self._parts):
            if number and self._delay_s:
                await asyncio.sleep(self._delay_s)
            if self._closed:
                return
            yield part

    async def close(self) -> None:
        self._closed = True


def _whole(status: int, body: Mapping[str, Any]) -> MockAnswer:
    return MockAnswer(status, "application/json", [to_json(body)])


def _error(status: int, message: str) -> MockAnswer:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return _whole(status, {"error": error})
