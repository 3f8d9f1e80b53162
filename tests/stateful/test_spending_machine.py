"""Whatever callers, providers and crashes do, no budget is overspent and the books add up.

Providers are hostile within their rights: they count as many tokens as a prompt has bytes, or as
many as the quote allowed, and answer up to exactly the limit that they were given. Three of them
have different prices and fail in every way, so requests go from one to the next; a fourth, cheaper
one comes first when little is left.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bursar.dialects.openai_chat import parse_chat
from bursar.domain.aliases import Alias, AliasTarget, Strategy, TierDown
from bursar.domain.errors import (
    BudgetExceeded,
    StoreUnavailable,
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bursar.domain.ids import request_id
from bursar.domain.models import parse_model
from bursar.memory import MemoryLedger
from bursar.services.answers import StreamedAnswer
from bursar.services.legs import _named
from bursar.services.quoting import quote_request
from tests.fakes.scripted_upstream import (
    DONE,
    ScriptedAnswer,
    completion,
    delta,
    event,
    stream,
    usage_chunk,
)
from tests.fakes.several_upstreams import failing
from tests.fakes.world import MODEL, World, drained

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bursar.domain.budgets import AccountKey
    from bursar.domain.holds import Hold, Shortfall
    from bursar.domain.upstream import UpstreamRequest
    from bursar.ports import UsageLog

_LIMITS = {"user/alice": Decimal("0.007"), "key/key-of-alice": Decimal("0.01")}
_PRICES = {MODEL: (3, 15), "groq:b": (1, 8), "mistral:c": (6, 2), "fireworks:d": (0.1, 0.4)}
_LONGEST = 2_000
_NAMES = ["any", "first", MODEL]
_ENDINGS = [
    *("well", "well", "500", "429", "404", "away"),
    *("slow", "half", "silent", "broken", "refused", "begun"),
]

_shares = st.integers(0, 100)
# A byte of text may be a token of its own, and JSON may take six bytes to write it.
_texts = st.one_of(
    st.text(max_size=200),
    st.integers(0, 1_000).map("x".__mul__),
    st.integers(0, 150).map("\x00".__mul__),
    st.integers(0, 250).map("\U0001f9ff".__mul__),
)


class _Ledger(MemoryLedger):
    """Fails from some adjustment on, as when the gateway dies between two accounts."""

    adjustments_left: int | None = None

    async def adjust(
        self, account: AccountKey, hold: Hold, amount_usd: Decimal, limit_usd: Decimal | None
    ) -> Shortfall | None:
        if self.adjustments_left is not None:
            if self.adjustments_left == 0:
                raise StoreUnavailable("dead")
            self.adjustments_left -= 1
        return await super().adjust(account, hold, amount_usd, limit_usd)


class _Dead:
    async def record(self, *_: Any) -> Any:
        raise StoreUnavailable("dead")


class SpendingMachine(RuleBasedStateMachine):
    """One user with two budgets, and everything that can happen to their requests."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.ledger = _Ledger()
        self.world = World(providers=("groq", "mistral", "fireworks"), ledger=self.ledger)
        self.key = self._run(self._begin())
        self.died_between_accounts = False

    def teardown(self) -> None:
        self.loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def _begin(self) -> str:
        world = self.world
        for model, (usd_in, usd_out) in _PRICES.items():
            await world.price(model, str(usd_in), str(usd_out), max_output_tokens=_LONGEST)
        targets = tuple(AliasTarget(model, 1 + index) for index, model in enumerate(_PRICES))[:3]
        for name, strategy in (("any", Strategy.WEIGHTED), ("first", Strategy.ORDERED)):
            cheaper = TierDown(Decimal("0.3"), "fireworks:d")
            alias = Alias(name, targets, world.now, world.now, strategy, cheaper)
            await world.storage.directory.aliases.put(alias)
        for budget_id, limit in (("b1", "user/alice"), ("b2", "key/key-of-alice")):
            await world.budget(str(_LIMITS[limit]), budget_id, duration_s=3_600)
        await world.user(budget_id="b1", budget_started_at=world.now)
        return await world.key(budget_id="b2", budget_started_at=world.now)

    def _body(self, name: str, text: str, most: int | None) -> dict[str, Any]:
        message = {"role": "user", "content": text}
        return {"model": name, "messages": [message], "max_tokens": most}

    async def _bound(self, body: dict[str, Any], model: str) -> int:
        """The most input that a provider may count."""
        given = {name: value for name, value in body.items() if value is not None}
        request = _named(parse_chat(msgspec.json.encode(given)), parse_model(model))
        price = await self.world.storage.directory.prices.get(model)
        return quote_request(request, price, self.world.policy, is_limited=True).bound.input_tokens

    async def _chat(self, body: dict[str, Any]) -> None:
        try:
            answer = await self.world.chat(self.key, **body)
            if isinstance(answer, StreamedAnswer):
                await drained(answer)
        except (BudgetExceeded, UpstreamError, StoreUnavailable):
            return

    def _answer_with(self, body: dict[str, Any], endings: list[str], used: int, greed: str) -> None:
        """Each request that is sent takes the next ending, and the last one for good."""
        steps = iter(endings)

        async def send(request: UpstreamRequest) -> ScriptedAnswer:
            ending = next(steps, endings[-1])
            sent = msgspec.json.decode(request.body)
            limits = [
                sent[name] for name in ("max_completion_tokens", "max_tokens") if name in sent
            ]
            tokens_out = min([*limits, _LONGEST]) * used // 100
            tokens_in = len(body["messages"][0]["content"].encode()) + 8
            if greed == "all that was allowed":
                tokens_in = await self._bound(body, f"{request.provider}:{sent['model']}")
            return _ended(ending, tokens_in, tokens_out, is_streamed=bool(sent.get("stream")))

        self.world.upstream.send = send  # type: ignore[method-assign]

    @rule(
        name=st.sampled_from(_NAMES),
        text=_texts,
        most=st.none() | st.integers(1, _LONGEST),
        used=st.just(100) | _shares,
        greed=st.sampled_from(["a token a byte", "all that was allowed"]),
        endings=st.lists(st.sampled_from(_ENDINGS), min_size=1, max_size=6),
        is_streamed=st.booleans(),
    )
    def ask(
        self,
        *,
        name: str,
        text: str,
        most: int | None,
        used: int,
        greed: str,
        endings: list[str],
        is_streamed: bool,
    ) -> None:
        body = self._body(name, text, most)
        self._answer_with(body, endings, used, greed)
        self._run(self._chat(body | {"stream": is_streamed}))

    @rule(
        names=st.lists(st.sampled_from(_NAMES), min_size=2, max_size=12),
        most=st.integers(1, 400),
        endings=st.lists(st.sampled_from(_ENDINGS), min_size=1, max_size=20),
    )
    def ask_at_once(self, names: list[str], most: int, endings: list[str]) -> None:
        body = self._body("", "x" * 20, most)
        self._answer_with(body, endings, 100, "a token a byte")

        async def ask() -> None:
            await asyncio.gather(*(self._chat(body | {"model": name}) for name in names))

        self._run(ask())

    @rule(most=st.integers(1, 500))
    def die_after_reserving(self, most: int) -> None:
        """The process is killed: nobody closes the tab."""

        async def reserve() -> None:
            world = self.world
            request = parse_chat(msgspec.json.encode(self._body(MODEL, "x", most)))
            credential = await world.identity.authenticate(self.key)
            caller = await world.identity.caller(credential, request)
            price = await world.storage.directory.prices.get(MODEL)
            quoted = quote_request(request, price, world.policy, is_limited=True)
            limits = await world.identity.limits(caller)
            try:
                await world.till.open(request_id(world.now), caller, request, quoted, limits)
            except BudgetExceeded:
                return

        self._run(reserve())

    @rule(
        most=st.integers(1, 500),
        adjustments=st.integers(0, 3),
        endings=st.lists(st.sampled_from(["500", "429", "404", "away"]), min_size=1, max_size=4),
    )
    def die_on_the_way(self, most: int, adjustments: int, endings: list[str]) -> None:
        """The process is killed in some adjustment: accounts hold what they hold."""
        world, body = self.world, self._body("any", "x" * 10, most)
        self._answer_with(body, endings, 100, "a token a byte")
        usage_log, self.ledger.adjustments_left = world.till._usage_log, adjustments
        world.till._usage_log = cast("UsageLog", _Dead())
        self._run(self._chat(body))
        world.till._usage_log, self.ledger.adjustments_left = usage_log, None
        self.died_between_accounts = True

    @rule(seconds=st.sampled_from([1, 60, 600, 901, 3_600]))
    def pass_time(self, seconds: int) -> None:
        self.world.pass_time(seconds=seconds)

    @rule()
    def sweep(self) -> None:
        self._run(self.world.sweep.run())

    @invariant()
    def no_period_is_overspent(self) -> None:
        for account, kept in self.ledger._accounts.items():
            assert kept.committed_usd <= _LIMITS[account.subject]
            assert sum(hold.amount_usd for hold in kept.holds.values()) <= kept.committed_usd

    @invariant()
    def the_books_add_up(self) -> None:
        """What is entered was taken from each account, except where the gateway died between two.

        Then one may have held, and so lost, less than the other.
        """
        records = self._run(self.world.records())
        entered = sum((record.cost_usd or Decimal(0) for record in records), Decimal(0))
        spent = dict.fromkeys(_LIMITS, Decimal(0))
        accounts = self._run(self.ledger.balances(list(self.ledger._accounts)))
        for account, balance in accounts.items():
            assert balance.spent_usd >= 0
            spent[account.subject] += balance.spent_usd
        for amount_usd in spent.values():
            assert amount_usd == entered or (self.died_between_accounts and amount_usd < entered)


def _ended(ending: str, tokens_in: int, tokens_out: int, *, is_streamed: bool) -> ScriptedAnswer:
    """A provider's answer, good or not."""
    match ending:
        case "well":
            if is_streamed:
                return stream(delta("x"), usage_chunk(tokens_in, tokens_out), DONE)
            return completion(tokens_in, tokens_out)
        case "half":
            half = ScriptedAnswer(script=[b'{"id": "c1"', UpstreamBroken("reset")])
            return stream(delta("abc"), UpstreamBroken("reset")) if is_streamed else half
        case "silent":
            silent = ScriptedAnswer(script=[b'{"id": "c1", "choices": []}'])
            return stream(delta("abc"), DONE) if is_streamed else silent
        case "refused" | "begun":
            error = event({"error": {"code": 503}})
            begun = (delta(""),) if ending == "begun" else ()
            return stream(*begun, error) if is_streamed else failing(503)
        case "away":
            raise UpstreamUnreachable("away")
        case "slow":
            raise UpstreamTimeout("slow")
        case "broken":
            raise UpstreamBroken("broken")
        case status:
            return failing(int(status))


SpendingMachine.TestCase.settings = settings(
    max_examples=50,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSpending = SpendingMachine.TestCase
