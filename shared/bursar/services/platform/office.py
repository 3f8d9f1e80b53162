"""The platform's services, made of the ports they need."""

from __future__ import annotations

from dataclasses import dataclass

from bursar.ports import Clock, Directory, Ledger, Platform, RateLimiter, UsageLog
from bursar.services.master_key import MasterKey
from bursar.services.platform.rules import PlatformRules
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
