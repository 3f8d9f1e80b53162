"""The control plane's services, made of the ports they need."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bursar.ports import AuditLog, Clock, Directory, Ledger, PriceCatalogue, ResetLog, UsageLog
from bursar.services.admin_aliases import AliasAdministration
from bursar.services.admin_audit import AuditReports
from bursar.services.admin_budgets import BudgetAdministration
from bursar.services.admin_keys import KeyAdministration
from bursar.services.admin_prices import PriceAdministration
from bursar.services.admin_providers import ProviderReports, Standings, none_known
from bursar.services.admin_usage import UsageReports
from bursar.services.admin_users import UserAdministration
from bursar.services.master_key import MasterKey


@dataclass(frozen=True, slots=True)
class AdminServices:
    """Everything that the management routes need.

    Attributes:
        catalogue: prices models that no administrator has priced; None where none is used.
        providers: the names that make a model of whatever begins with them.
        has_other_providers: the deployment may reach some that are not among these.
        standings: tells which providers can be called.
    """

    directory: Directory
    ledger: Ledger
    usage_log: UsageLog
    reset_log: ResetLog
    audit_log: AuditLog
    master_key: MasterKey
    clock: Clock
    catalogue: PriceCatalogue | None = None
    providers: Collection[str] = ()
    has_other_providers: bool = True
    standings: Standings = none_known

    @property
    def keys(self) -> KeyAdministration:
        return KeyAdministration(self.directory, self.ledger, self.clock)

    @property
    def users(self) -> UserAdministration:
        return UserAdministration(self.directory, self.ledger, self.clock, self.keys)

    @property
    def budgets(self) -> BudgetAdministration:
        return BudgetAdministration(
            directory=self.directory,
            ledger=self.ledger,
            reset_log=self.reset_log,
            clock=self.clock,
            users=self.users,
            keys=self.keys,
        )

    @property
    def prices(self) -> PriceAdministration:
        return PriceAdministration(self.directory, self.clock, self.catalogue)

    @property
    def provider_reports(self) -> ProviderReports:
        return ProviderReports(self.standings, self.directory, self.clock, self.catalogue)

    @property
    def aliases(self) -> AliasAdministration:
        return AliasAdministration(
            self.directory, self.clock, self.providers, has_others=self.has_other_providers
        )

    @property
    def usage(self) -> UsageReports:
        return UsageReports(self.directory, self.usage_log)

    @property
    def audit(self) -> AuditReports:
        return AuditReports(self.audit_log, self.clock)

    async def check_store(self) -> None:
        """Read something from the store.

        Raises:
            StoreUnavailable: it does not answer.
        """
        await self.directory.budgets.get("readiness")
