"""The gateway's services over stores in memory and a scripted provider."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.bootstrap import ProxyServices, Storage
from bursar.dialects.openai_chat import parse_chat
from bursar.dialects.openai_embeddings import parse_embeddings
from bursar.domain.accounts import user_account
from bursar.domain.budgets import Budget
from bursar.domain.holds import Balance
from bursar.domain.ids import request_id
from bursar.domain.keys import VirtualKey, digest_of, new_virtual_key
from bursar.domain.pricing import Price
from bursar.domain.upstream import CHAT_ENDPOINT, EMBEDDINGS_ENDPOINT, Provider, Target
from bursar.domain.usage import UsageFilter, UsageRecord
from bursar.domain.users import User
from bursar.memory import (
    MemoryAuditLog,
    MemoryDirectory,
    MemoryLedger,
    MemoryPlatform,
    MemoryRateLimiter,
    MemoryResetLog,
    MemoryUsageLog,
)
from bursar.services.answers import StreamedAnswer, WholeAnswer
from bursar.services.attempts import Attempts
from bursar.services.breaker import Breaker
from bursar.services.completion import Completion
from bursar.services.exchange import Exchange
from bursar.services.identity import Identity
from bursar.services.last_use import LastUse
from bursar.services.legs import Legs
from bursar.services.lookup import Lookup
from bursar.services.master_key import MasterKey
from bursar.services.model_list import ModelList
from bursar.services.platform.lease_end import LeaseEnd
from bursar.services.policy import Policy
from bursar.services.presence import Gone, never
from bursar.services.project_lookup import ProjectLookup
from bursar.services.rates import Rates
from bursar.services.routes import Routes
from bursar.services.sweep import Sweep
from bursar.services.tab import Till
from bursar.services.targets import Targets
from bursar.services.token_count import TokenCount
from bursar.services.vault_targets import VaultTargets
from tests.fakes.scripted_upstream import ScriptedUpstream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.events import Event

MASTER_KEY = "master-key-of-the-tests"
PROVIDER_KEY = "sk-canary-provider-key-0123456789"
MODEL = "openai:gpt-test"
CATALOGUE = {
    provider.name: Target(provider, provider.base_url or "")
    for provider in (
        Provider("groq", "https://groq.example/v1"),
        Provider("azure", None, env_base="AZURE_ENDPOINT"),
        Provider("ollama", "http://localhost:11434/v1", env_base="OLLAMA_HOST", needs_key=False),
    )
}


class World:
    """Args:
    policy: the administrator's.
    providers: who can be reached, each at `https://<name>.example/v1`; `openai` always is.
    ledger: in place of a faultless one.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        providers: Sequence[str] = (),
        ledger: MemoryLedger | None = None,
    ) -> None:
        self.waits: list[float] = []
        self.breaker = Breaker(lambda: self.clock().timestamp())
        self._providers = providers
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        self.policy = policy or Policy(directory_age_s=0.0)
        self.upstream = ScriptedUpstream()
        self.ledger = ledger or MemoryLedger()
        self.platform = MemoryPlatform()
        self.usage_log = MemoryUsageLog(self.platform.leases)
        self.storage = Storage(
            directory=MemoryDirectory(),
            ledger=self.ledger,
            usage_log=self.usage_log,
            reset_log=MemoryResetLog(),
            rate_limiter=MemoryRateLimiter(),
            platform=self.platform,
            audit_log=MemoryAuditLog,
        )
        self.observed: list[Event] = []
        self.completion = self._completion()

    def clock(self) -> datetime:
        return self.now

    def _completion(self) -> Completion:
        storage, policy, breaker = self.storage, self.policy, self.breaker
        chance = random.Random(1)  # noqa: S311 (draws targets, guards nothing)
        self.lookup = lookup = Lookup(storage.directory, policy.directory_age_s)
        projects = ProjectLookup(storage.platform, policy.directory_age_s)
        observe = self.observed.append
        self.till = Till(storage.ledger, storage.usage_log, policy, self.clock, observe)
        self.targets = targets = Targets(self._targets())
        self.vaults = VaultTargets(projects, targets, CATALOGUE, self.clock)
        self.legs = Legs(
            targets, self.vaults, lookup, breaker=breaker, policy=policy, clock=self.clock
        )
        self.identity = Identity(lookup, projects, MasterKey.of(MASTER_KEY), policy, self.clock)
        return Completion(
            identity=self.identity,
            routes=Routes(lookup, targets, CATALOGUE, policy.retries, chance.random),
            rates=Rates(storage.rate_limiter, policy, self.clock),
            attempts=Attempts(
                Exchange(self.upstream, self.till, policy),
                self.till,
                self.legs,
                breaker=breaker,
                policy=policy,
                clock=self.clock,
                draw=chance.random,
                sleep=self._wait,
            ),
            last_use=LastUse(storage.directory, storage.platform, self.clock),
            observe=observe,
        )

    def _targets(self) -> dict[str, Target]:
        endpoints = {"chat": CHAT_ENDPOINT, "embeddings": EMBEDDINGS_ENDPOINT}
        openai = Provider(
            "openai",
            "https://api.example",
            endpoints=endpoints,
            output_limit_field="max_completion_tokens",
        )
        targets = {"openai": Target(openai, "https://api.example/v1", PROVIDER_KEY)}
        for name in self._providers:
            base_url = f"https://{name}.example/v1"
            targets[name] = Target(Provider(name, base_url), base_url, PROVIDER_KEY)
        return targets

    async def _wait(self, seconds: float) -> None:
        """Let others go first, the more the longer it would be, and remember how long that is."""
        self.waits.append(seconds)
        for _ in range(1 + int(seconds * 100)):
            await asyncio.sleep(0)

    @property
    def token_count(self) -> TokenCount:
        service = self.completion
        return TokenCount(
            service.identity,
            service.routes,
            service.rates,
            self.targets,
            self.vaults,
            self.upstream,
            self.policy,
        )

    def proxy_services(self, request_bytes_max: int = 10_000) -> ProxyServices:
        models = ModelList(
            self.identity, self.lookup, self.storage.directory, self.vaults, self.targets
        )
        return ProxyServices(self.completion, self.token_count, models, request_bytes_max)

    @property
    def sweep(self) -> Sweep:
        storage = self.storage
        return Sweep(
            ledger=storage.ledger,
            usage_log=storage.usage_log,
            reset_log=storage.reset_log,
            directory=storage.directory,
            policy=self.policy,
            clock=self.clock,
            platform=storage.platform,
            leases=LeaseEnd(storage.platform, storage.usage_log, self.clock),
        )

    async def price(
        self, model: str = MODEL, usd_in: str = "1", usd_out: str = "2", **limits: Any
    ) -> None:
        row = Price(model, Decimal(usd_in), Decimal(usd_out), self.now, self.now, **limits)
        await self.storage.directory.prices.put(row)

    async def budget(self, usd: str | None, budget_id: str = "b1", **fields: Any) -> str:
        limit = None if usd is None else Decimal(usd)
        row = Budget(budget_id, self.now, self.now, max_budget_usd=limit, **fields)
        await self.storage.directory.budgets.put(row)
        return budget_id

    async def user(self, user_id: str = "alice", **fields: Any) -> User:
        user = User(user_id, self.now, self.now, self.now, **fields)
        await self.storage.directory.users.put(user)
        return user

    async def key(self, user_id: str = "alice", **fields: Any) -> str:
        plain = new_virtual_key()
        digest = digest_of(plain)
        row = VirtualKey(f"key-of-{user_id}", user_id, digest, self.now, **fields)
        await self.storage.directory.keys.put(row)
        await self.storage.directory.link_digest(digest, row.key_id)
        return plain

    async def someone(self, usd: str | None = None) -> str:
        """A priced model, and a user with a key, and a budget if `usd` is given."""
        await self.price()
        budget_id = None if usd is None else await self.budget(usd)
        await self.user(budget_id=budget_id, budget_started_at=self.now)
        return await self.key()

    async def chat(
        self,
        key: str,
        *,
        headers: dict[str, str] | None = None,
        gone: Gone = never,
        **body: Any,
    ) -> WholeAnswer | StreamedAnswer:
        message = {"role": "user", "content": "hello"}
        content = {"model": MODEL, "messages": [message], "max_tokens": 100} | body
        raw = msgspec.json.encode({k: v for k, v in content.items() if v is not None})
        sent = {"authorization": f"Bearer {key}"} | (headers or {})
        return await self.completion.serve(request_id(self.now), sent, raw, parse_chat, gone)

    async def embed(self, key: str, **body: Any) -> WholeAnswer | StreamedAnswer:
        raw = msgspec.json.encode({"model": MODEL, "input": "hello"} | body)
        sent = {"authorization": f"Bearer {key}"}
        return await self.completion.serve(request_id(self.now), sent, raw, parse_embeddings)

    async def balance(self, user_id: str = "alice") -> Balance:
        user = await self.storage.directory.users.get(user_id)
        assert user is not None
        budget = await self.storage.directory.budgets.get(user.budget_id or "")
        account = user_account(user, budget, self.now)
        return (await self.ledger.balances([account])).get(account, Balance())

    async def all_balances(self) -> list[Balance]:
        """Of every account there ever was."""
        accounts = list(self.ledger._accounts)
        return list((await self.ledger.balances(accounts)).values())

    async def records(self) -> list[UsageRecord]:
        page = await self.usage_log.page(UsageFilter(), limit=1000)
        return list(page.records)

    async def record(self) -> UsageRecord:
        """The only usage record there is."""
        (only,) = await self.records()
        return only

    def pass_time(self, **amount: float) -> None:
        self.now += timedelta(**amount)


async def drained(answer: WholeAnswer | StreamedAnswer) -> bytes:
    """All that a stream writes."""
    assert isinstance(answer, StreamedAnswer)
    written = bytearray()

    async def write(piece: bytes) -> None:
        written.extend(piece)

    await answer.relay.run(write)
    return bytes(written)


def whole(answer: WholeAnswer | StreamedAnswer) -> Any:
    assert isinstance(answer, WholeAnswer)
    return msgspec.json.decode(answer.body)
