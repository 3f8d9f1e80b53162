"""An administrator's services over stores in memory, or over any others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bursar.domain.accounts import user_account
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from bursar.memory import (
    MemoryAuditLog,
    MemoryDirectory,
    MemoryLedger,
    MemoryPlatform,
    MemoryRateLimiter,
    MemoryResetLog,
    MemoryUsageLog,
)
from bursar.services.administration import AdminServices
from bursar.services.assigned_budgets import budget_of
from bursar.services.master_key import MasterKey
from bursar.services.platform.office import PlatformServices
from bursar.services.platform.rules import PlatformRules
from bursar.services.policy import Policy

if TYPE_CHECKING:
    from bursar.domain.budgets import AccountKey
    from bursar.ports import (
        AuditLog,
        Directory,
        Ledger,
        Platform,
        RateLimiter,
        ResetLog,
        UsageLog,
    )

MASTER_KEY = "the-master-key-of-the-tests"
START = datetime(2026, 1, 10, 12, tzinfo=UTC)


class Office:
    """Services with a clock that stands still until it is moved."""

    def __init__(
        self,
        directory: Directory | None = None,
        ledger: Ledger | None = None,
        usage_log: UsageLog | None = None,
        reset_log: ResetLog | None = None,
        *,
        master_key: MasterKey | None = None,
        platform: Platform | None = None,
        rate_limiter: RateLimiter | None = None,
        rules: PlatformRules | None = None,
        audit_log: AuditLog | None = None,
    ) -> None:
        self.now = START
        kept = platform or MemoryPlatform()
        leases = kept.leases if isinstance(kept, MemoryPlatform) else None
        self.services = AdminServices(
            directory=directory or MemoryDirectory(),
            ledger=ledger or MemoryLedger(),
            usage_log=usage_log or MemoryUsageLog(leases),
            reset_log=reset_log or MemoryResetLog(),
            audit_log=audit_log or MemoryAuditLog(),
            master_key=master_key or MasterKey.of(MASTER_KEY),
            clock=lambda: self.now,
            providers=frozenset({"openai", "groq", "anthropic"}),
            has_other_providers=False,
        )
        self.platform = PlatformServices(
            platform=kept,
            directory=self.services.directory,
            ledger=self.services.ledger,
            usage_log=self.services.usage_log,
            reset_log=self.services.reset_log,
            rate_limiter=rate_limiter or MemoryRateLimiter(),
            master_key=self.services.master_key,
            policy=Policy(),
            rules=rules or PlatformRules(),
            clock=lambda: self.now,
        )

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    async def spend(self, account: AccountKey, usd: str) -> None:
        """Charge an account as a finished request does."""
        hold = await self.hold(account, usd)
        assert await self.services.ledger.settle(account, hold, hold.amount_usd)

    async def hold(self, account: AccountKey, usd: str) -> Hold:
        """Reserve in an account as a request does before it is sent."""
        hold = Hold(request_id(self.now), Decimal(usd), self.now + timedelta(minutes=5), "anyone")
        assert await self.services.ledger.reserve(account, hold, None) is None
        return hold

    async def account_of(self, user_id: str) -> AccountKey:
        user = await self.services.directory.users.get(user_id)
        assert user is not None
        budget = await budget_of(self.services.directory, user.budget_id)
        return user_account(user, budget, self.now)

    async def spend_as(self, user_id: str, usd: str) -> None:
        await self.spend(await self.account_of(user_id), usd)
