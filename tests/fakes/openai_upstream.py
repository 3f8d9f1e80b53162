"""A provider with OpenAI's API on loopback, over real sockets, that does what a test asks.

In a test's process, on its own thread:

    with FakeOpenAI() as fake:
        fake.behaviours["gpt-4o"] = Behaviour(status=429, retry_after="7")
        ...  # base_url=fake.base_url
        assert fake.last.headers["authorization"] == "Bearer sk-test"

As a process, for gateways in other processes: `python -m tests.fakes.openai_upstream --port 0`
prints its base URL; `GET /_requests` tells what arrived, `DELETE /_requests` forgets it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.fakes import openai_shapes as shapes
from tests.fakes import responses_events, responses_shapes
from tests.fakes.fake_provider import FakeProvider, run
from tests.fakes.passed_upstream import answer_passed
from tests.fakes.scripted_answers import Voice, answer_stream, answer_whole

if TYPE_CHECKING:
    from tests.fakes.http_server import Exchange

CHAT: Final = Voice({"x-request-id": "req_fake"}, shapes.error_body, shapes.error_event)
RESPONSES: Final = Voice(
    {"x-request-id": "req_fake"}, shapes.error_body, responses_events.error_event
)


class FakeOpenAI(FakeProvider):
    """Chat completions, responses, embeddings, the list of models, and what only passes through."""

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    async def route(self, exchange: Exchange) -> None:
        route = exchange.request.route
        if exchange.request.method == "GET" and route.endswith("/models"):
            await exchange.answer(200, CHAT.json_headers(), shapes.models_body())
        elif route.endswith("/chat/completions"):
            await self._chat(exchange)
        elif route.endswith("/responses"):
            await self._responses(exchange)
        elif route.endswith("/embeddings"):
            await self._embeddings(exchange)
        elif not await answer_passed(self, exchange):
            await exchange.answer(404, CHAT.json_headers(), shapes.error_body(404))

    async def _chat(self, exchange: Exchange) -> None:
        if (script := await self.script(exchange, CHAT)) is None:
            return
        body, behaviour = script
        number = len(self.requests)
        if body.get("stream"):
            events = shapes.chat_events(body, behaviour, number)
            await answer_stream(exchange, CHAT, events, behaviour)
        else:
            await answer_whole(exchange, CHAT, shapes.chat_body(body, behaviour, number), behaviour)

    async def _responses(self, exchange: Exchange) -> None:
        if (script := await self.script(exchange, RESPONSES)) is None:
            return
        body, behaviour = script
        number = len(self.requests)
        if body.get("stream"):
            events = responses_events.response_events(body, behaviour, number)
            await answer_stream(exchange, RESPONSES, events, behaviour)
        else:
            answer = responses_shapes.response_body(body, behaviour, number)
            await answer_whole(exchange, RESPONSES, answer, behaviour)

    async def _embeddings(self, exchange: Exchange) -> None:
        if (script := await self.script(exchange, CHAT)) is not None:
            body, behaviour = script
            answer = shapes.embeddings_body(body, behaviour)
            await answer_whole(exchange, CHAT, answer, behaviour)


if __name__ == "__main__":
    run(FakeOpenAI, __doc__)
