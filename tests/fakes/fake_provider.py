"""What the fake providers of all dialects share: scripts by model, and a record of what arrived."""

from __future__ import annotations

import argparse
import json
from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.fakes.http_server import Exchange, HttpServer
from tests.fakes.openai_behaviour import Behaviour, behaviour_of
from tests.fakes.scripted_answers import FOREVER_S, answer_error

if TYPE_CHECKING:
    import ssl

    from tests.fakes.scripted_answers import Voice


class FakeProvider(HttpServer, ABC):
    """`behaviours` overrides, by model, what the model's name says."""

    def __init__(
        self, *, port: int = 0, idle_timeout_s: float = 60.0, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(self._handle, port=port, idle_timeout_s=idle_timeout_s, tls=tls)
        self.behaviours: dict[str, Behaviour] = {}

    @property
    def base_url(self) -> str:
        """What a client of this API takes for its base URL."""
        return self.origin

    @abstractmethod
    async def route(self, exchange: Exchange) -> None:
        """Answer a request as the provider's API does."""

    async def script(
        self, exchange: Exchange, voice: Voice
    ) -> tuple[dict[str, Any], Behaviour] | None:
        """The request and its script, after the wait it asks for; None if it was an error's."""
        body: dict[str, Any] = exchange.request.json()
        model = body.get("model", "")
        behaviour = self.behaviours.get(model) or behaviour_of(model, body.get("fake"))
        await exchange.pause(FOREVER_S if behaviour.hang else behaviour.delay_s)
        if behaviour.status == 200:
            return body, behaviour
        await answer_error(exchange, voice, behaviour)
        return None

    async def _handle(self, exchange: Exchange) -> None:
        if exchange.request.route == "/_requests":
            await self._tell(exchange)
        else:
            await self.route(exchange)

    async def _tell(self, exchange: Exchange) -> None:
        self.requests.remove(exchange.request)
        if exchange.request.method == "DELETE":
            self.requests.clear()
        seen = [{**asdict(one), "body": one.body.decode(errors="replace")} for one in self.requests]
        headers = {"content-type": "application/json"}
        await exchange.answer(200, headers, json.dumps(seen).encode())


def run(kind: type[FakeProvider], description: str | None) -> None:
    """Serve one until interrupted, for gateways in other processes; prints its base URL."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0)
    with kind(port=parser.parse_args().port) as fake:
        print(fake.base_url, flush=True)
        fake.run_until_interrupted()
