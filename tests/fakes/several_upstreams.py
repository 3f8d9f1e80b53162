"""Providers in memory, each with a script of its own."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from tests.fakes.scripted_upstream import JSON, ScriptedAnswer, completion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.domain.upstream import UpstreamRequest
    from tests.fakes.world import World

Step: TypeAlias = "ScriptedAnswer | Exception | Callable[[UpstreamRequest], ScriptedAnswer]"


class SeveralUpstreams:
    """Each provider takes the steps of its script in turn, and then answers well.

    Attributes:
        requests: in the order in which they came.
    """

    def __init__(self, world: World, **scripts: list[Step]) -> None:
        self.requests: list[UpstreamRequest] = []
        self._scripts = {name: deque(steps) for name, steps in scripts.items()}
        world.upstream.send = self.send  # type: ignore[method-assign]

    @property
    def asked(self) -> list[str]:
        """The providers that were asked."""
        return [request.provider for request in self.requests]

    def body(self, index: int = -1) -> dict[str, Any]:
        body: dict[str, Any] = msgspec.json.decode(self.requests[index].body)
        return body

    async def send(self, request: UpstreamRequest) -> ScriptedAnswer:
        self.requests.append(request)
        steps = self._scripts.get(request.provider)
        step: Step = steps.popleft() if steps else completion()
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, ScriptedAnswer) else step(request)


def failing(status: int, headers: Mapping[str, str] | None = None) -> ScriptedAnswer:
    return ScriptedAnswer(status, JSON | dict(headers or {}), [b'{"error":{"message":"no"}}'])
