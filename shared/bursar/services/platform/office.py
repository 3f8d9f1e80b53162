"""The platform's services, made of the ports they need."""

from __future__ import annotations

from dataclasses import dataclass

from bursar.ports import (
    Clock,
    Directory,
    Ledger,
    Platform,
    PriceCatalogue,
    RateLimiter,
    ResetLog,
    UsageLog,
)
from bursar.services.master_key import MasterKey
from bursar.services.platform.access import Access
from bursar.services.platform.attempts import Attempts
from bursar.services.platform.challenges import Challenges
from bursar.services.platform.clients import Clients
from bursar.services.platform.lease_end import LeaseEnd
from bursar.services.platform.lease_signing import LeaseSigning
from bursar.services.platform.leases import LeaseDesk
from bursar.services.platform.members import Members
from bursar.services.platform.people import People
from bursar.services.platform.project_budgets import ProjectBudgets
from bursar.services.platform.project_contents import ProjectContents
from bursar.services.platform.project_keys import ProjectKeys
from bursar.services.platform.project_spending import ProjectSpending
from bursar.services.platform.project_usage import ProjectUsage
from bursar.services.platform.projects import Projects
from bursar.services.platform.provider_keys import ProviderKeys
from bursar.services.platform.reported_usage import ReportedUsage
from bursar.services.platform.rules import PlatformRules
from bursar.services.platform.sealed_keys import SealedKeys
from bursar.services.platform.sign_in import SignIn
from bursar.services.platform.vault_rotation import VaultRotation
from bursar.services.platform.vault_shares import VaultShares
from bursar.services.policy import Policy
from bursar.services.price_lookup import PriceLookup


@dataclass(frozen=True, slots=True)
class PlatformServices:
    """Everything that the platform's routes need."""

    platform: Platform
    directory: Directory
    ledger: Ledger
    usage_log: UsageLog
    reset_log: ResetLog
    rate_limiter: RateLimiter
    master_key: MasterKey
    policy: Policy
    rules: PlatformRules
    clock: Clock
    catalogue: PriceCatalogue | None = None

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

    @property
    def challenges(self) -> Challenges:
        return Challenges(self.platform, self.attempts, self.rules, self.clock)

    @property
    def clients(self) -> Clients:
        return Clients(self.platform, self.projects, self.clock)

    @property
    def leases(self) -> LeaseDesk:
        end = LeaseEnd(self.platform, self.usage_log, self.clock)
        return LeaseDesk(
            self.platform,
            self.ledger,
            self.spending,
            end,
            self.policy,
            self.rules,
            self.clock,
        )

    @property
    def lease_signing(self) -> LeaseSigning:
        return LeaseSigning(self.platform)

    @property
    def project_budgets(self) -> ProjectBudgets:
        return ProjectBudgets(
            self.platform, self.ledger, self.usage_log, self.reset_log, self.clock
        )

    @property
    def project_keys(self) -> ProjectKeys:
        return ProjectKeys(
            self.platform, self.directory, self.clients, self.vault_shares, self.clock
        )

    @property
    def project_usage(self) -> ProjectUsage:
        return ProjectUsage(self.usage_log)

    @property
    def projects(self) -> Projects:
        contents = ProjectContents(self.platform, self.directory, self.provider_keys)
        return Projects(self.platform, self.directory, self.members, contents, self.clock)

    @property
    def provider_keys(self) -> ProviderKeys:
        return ProviderKeys(self.platform, self.access, self.clock)

    @property
    def reported_usage(self) -> ReportedUsage:
        age_s = self.policy.directory_age_s
        return ReportedUsage(
            self.platform,
            PriceLookup(self.directory, self.catalogue, self.clock, age_s),
            self.ledger,
            self.usage_log,
            self.spending,
            self.clock,
        )

    @property
    def sealed_keys(self) -> SealedKeys:
        return SealedKeys(self.platform, self.spending, self.clock)

    @property
    def spending(self) -> ProjectSpending:
        return ProjectSpending(self.platform, self.directory, self.ledger, self.clock)

    @property
    def vault_rotation(self) -> VaultRotation:
        return VaultRotation(self.platform, self.directory, self.rules, self.clock)

    @property
    def vault_shares(self) -> VaultShares:
        return VaultShares(self.platform, self.clock)
