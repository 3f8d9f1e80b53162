"""Whatever callers, providers and crashes do, no budget is overspent and the books add up.

The provider is hostile within its rights: it uses anything up to exactly what it was allowed.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bursar.dialects.openai_chat import parse_chat
from bursar.domain.errors import BudgetExceeded, UpstreamBroken, UpstreamError, UpstreamUnreachable
from bursar.domain.ids import request_id
from bursar.services.answers import StreamedAnswer
from bursar.services.credentials import Credential
from bursar.services.quoting import quote_request
from tests.fakes.scripted_upstream import (
    DONE,
    ScriptedAnswer,
    completion,
    delta,
    stream,
    usage_chunk,
)
from tests.fakes.world import MODEL, World, drained

if TYPE_CHECKING:
    from collections.abc import Coroutine

_LIMIT = Decimal("0.01")
_shares = st.integers(0, 100)


class SpendingMachine(RuleBasedStateMachine):
    """One user with a rolling budget, and everything that can happen to their requests."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = World()
        self.key = self._run(self._begin())

    def teardown(self) -> None:
        self.loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def _begin(self) -> str:
        await self.world.price(usd_in="3", usd_out="15", cached_input_usd_per_million=Decimal(1))
        await self.world.budget(str(_LIMIT), duration_s=3_600)
        await self.world.user(budget_id="b1", budget_started_at=self.world.now)
        return await self.world.key()

    async def _allowed(self, body: dict[str, Any]) -> tuple[int, int]:
        """The most a provider may use: it counts no more tokens than bytes."""
        raw = msgspec.json.encode({"model": MODEL} | body)
        price = await self.world.storage.directory.prices.get(MODEL)
        request = parse_chat(raw)
        quoted = quote_request(request, price, self.world.policy, is_limited=True)
        return quoted.bound.input_tokens, quoted.bound.output_tokens

    def _body(self, text_bytes: int, max_tokens: int) -> dict[str, Any]:
        message = {"role": "user", "content": "x" * text_bytes}
        return {"messages": [message], "max_tokens": max_tokens}

    async def _chat(self, body: dict[str, Any]) -> None:
        try:
            answer = await self.world.chat(self.key, **body)
            if isinstance(answer, StreamedAnswer):
                await drained(answer)
        except (BudgetExceeded, UpstreamError):
            return

    @rule(
        size=st.integers(0, 1_000),
        most=st.integers(1, 2_000),
        used=_shares,
        mode=st.sampled_from(["whole", "stream"]),
    )
    def use_what_is_allowed(self, size: int, most: int, used: int, mode: str) -> None:
        body = self._body(size, most)
        allowed_in, _ = self._run(self._allowed(body))
        tokens_in = max(1, allowed_in * used // 100)
        # The gateway may lower the limit; the provider then sees the lower one and obeys.
        world = self.world

        async def send(request: Any) -> ScriptedAnswer:
            limit = msgspec.json.decode(request.body)["max_tokens"]
            tokens_out = limit * used // 100
            if mode == "stream":
                return stream(delta("x"), usage_chunk(tokens_in, tokens_out), DONE)
            return completion(tokens_in, tokens_out)

        world.upstream.send = send  # type: ignore[method-assign]
        self._run(self._chat(body | {"stream": mode == "stream"}))

    @rule(most=st.integers(1, 500), ending=st.sampled_from(["none", "broken", "refused", "away"]))
    def fail(self, most: int, ending: str) -> None:
        async def send(request: Any) -> ScriptedAnswer:
            match ending:
                case "away":
                    raise UpstreamUnreachable("away")
                case "refused":
                    return ScriptedAnswer(400, script=[b"{}"])
                case "broken":
                    return stream(delta("abc"), UpstreamBroken("reset"))
                case _:
                    return stream(delta("abc"), DONE)

        self.world.upstream.send = send  # type: ignore[method-assign]
        self._run(self._chat(self._body(10, most) | {"stream": True}))

    @rule(most=st.integers(1, 500))
    def die_after_reserving(self, most: int) -> None:
        """The process is killed: nobody closes the tab."""

        async def reserve() -> None:
            till, world = self.world.completion.till, self.world
            identity = world.completion.identity
            user = await world.storage.directory.users.get("alice")
            assert user is not None
            caller = await identity.caller(Credential("the master key"), "alice")
            request = parse_chat(msgspec.json.encode({"model": MODEL} | self._body(10, most)))
            price = await world.storage.directory.prices.get(MODEL)
            quoted = quote_request(request, price, world.policy, is_limited=True)
            limits = await identity.limits(caller)
            try:
                await till.open(request_id(world.now), caller, request, quoted, limits)
            except BudgetExceeded:
                return

        self._run(reserve())

    @rule(seconds=st.sampled_from([1, 60, 600, 901, 3_600]))
    def pass_time(self, seconds: int) -> None:
        self.world.pass_time(seconds=seconds)

    @rule()
    def sweep(self) -> None:
        self._run(self.world.sweep.run())

    @invariant()
    def no_period_is_overspent(self) -> None:
        for account in self._run(self.world.all_balances()):
            assert Decimal(0) <= account.spent_usd
            assert account.committed_usd <= _LIMIT

    @invariant()
    def the_books_add_up(self) -> None:
        records = self._run(self.world.records())
        entered = sum((record.cost_usd or Decimal(0) for record in records), Decimal(0))
        accounts = self._run(self.world.all_balances())
        assert sum((account.spent_usd for account in accounts), Decimal(0)) == entered


SpendingMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSpending = SpendingMachine.TestCase
