"""A provider with Anthropic's API on loopback, over real sockets, that does what a test asks.

In a test's process, on its own thread:

    with FakeAnthropic() as fake:
        fake.behaviours["claude"] = Behaviour(status=529, retry_after="7")
        ...  # base_url=fake.base_url
        assert fake.last.headers["x-api-key"] == "sk-ant-test"

As a process: `python -m tests.fakes.anthropic_upstream --port 0`, with the same `/_requests` as the
OpenAI fake. Models' names say what it does: see `openai_behaviour`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.fakes import anthropic_events, anthropic_shapes
from tests.fakes.fake_provider import FakeProvider, run
from tests.fakes.scripted_answers import Voice, answer_stream, answer_whole

if TYPE_CHECKING:
    from tests.fakes.http_server import Exchange

MESSAGES: Final = Voice(
    {"request-id": "req_fake"}, anthropic_shapes.error_body, anthropic_events.error_event
)


class FakeAnthropic(FakeProvider):
    """Messages, the counting of their tokens and the list of models."""

    async def route(self, exchange: Exchange) -> None:
        method, route = exchange.request.method, exchange.request.route
        if method == "GET" and route == "/v1/models":
            body = anthropic_shapes.models_body()
            await exchange.answer(200, MESSAGES.json_headers(), body)
        elif method == "POST" and route == "/v1/messages":
            await self._message(exchange)
        elif method == "POST" and route == "/v1/messages/count_tokens":
            await self._count(exchange)
        else:
            body = anthropic_shapes.error_body(404)
            await exchange.answer(404, MESSAGES.json_headers(), body)

    async def _message(self, exchange: Exchange) -> None:
        if (script := await self.script(exchange, MESSAGES)) is None:
            return
        body, behaviour = script
        number = len(self.requests)
        if body.get("stream"):
            events = anthropic_events.message_events(body, behaviour, number)
            await answer_stream(exchange, MESSAGES, events, behaviour)
        else:
            answer = anthropic_shapes.message_body(body, behaviour, number)
            await answer_whole(exchange, MESSAGES, answer, behaviour)

    async def _count(self, exchange: Exchange) -> None:
        if (script := await self.script(exchange, MESSAGES)) is not None:
            body, behaviour = script
            await answer_whole(exchange, MESSAGES, anthropic_shapes.count_body(body), behaviour)


if __name__ == "__main__":
    run(FakeAnthropic, __doc__)
