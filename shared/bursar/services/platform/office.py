"""The platform's services, made of the ports they need."""

from __future__ import annotations

from dataclasses import dataclass

from bursar.ports import Clock, Directory, Ledger, Platform, RateLimiter, UsageLog
from bursar.services.master_key import MasterKey
from bursar.services.platform.access import Access
from bursar.services.platform.attempts import Attempts
from bursar.services.platform.members import Members
from bursar.services.platform.people import People
from bursar.services.platform.rules import PlatformRules
from bursar.services.platform.sign_in import SignIn
from bursar.services.policy import Policy


@dataclass(frozen=True, slots=True)
class PlatformServices:
    """Everything that the platform's routes need."""

    platform: Platform
    directory: Directory
    ledger: Ledger
    usage_log: UsageLog
    rate_limiter: RateLimiter
    master_key: MasterKey
    policy: Policy
    rules: PlatformRules
    clock: Clock

    @property
    def access(self) -> Access:
        return Access(self.platform, self.clock)

    @property
    def attempts(self) -> Attempts:
        return Attempts(self.rate_limiter, self.rules, self.clock)

    @property
    def members(self) -> Members:
        return Members(self.platform, self.clock)

    @property
    def people(self) -> People:
        return People(self.platform, self.members, self.clock)

    @property
    def sign_in(self) -> SignIn:
        return SignIn(self.platform, self.attempts, self.rules, self.clock)
