"""What the services need from the outside, as verbs.

Each port has two real implementations: the store on DynamoDB and the one in memory, the HTTP hop
and the mock provider. Both sides of each pass the same contract tests.

Money never moves by load, change and save: every verb of the ledger is one conditional write that
the store executes, so that two callers cannot interleave.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from bursar.domain.aliases import Alias
    from bursar.domain.audit import AuditEntry, AuditFilter, AuditPage
    from bursar.domain.budgets import AccountKey, Budget
    from bursar.domain.holds import Balance, Hold, Shortfall
    from bursar.domain.keys import VirtualKey
    from bursar.domain.leases import Lease
    from bursar.domain.models import ModelName
    from bursar.domain.people import Membership, Person
    from bursar.domain.price_history import PriceStatement
    from bursar.domain.pricing import Price
    from bursar.domain.projects import Client, Project, ProjectBudget, ProviderKey, VaultShare
    from bursar.domain.proofs import Challenge, Session
    from bursar.domain.rates import RateLimit, RateWindow
    from bursar.domain.upstream import UpstreamRequest
    from bursar.domain.usage import ResetRecord, UsageFilter, UsagePage, UsageRecord
    from bursar.domain.users import User

RecordT = TypeVar("RecordT")


class Clock(Protocol):
    def __call__(self) -> datetime:
        """The current time, aware, in UTC."""
        ...


class Collection(Protocol[RecordT]):
    """Records of one kind by id. Every method may raise StoreUnavailable."""

    async def get(self, record_id: str) -> RecordT | None: ...

    async def add(self, record: RecordT) -> bool:
        """Store a record unless its id is taken; tell whether it was stored."""
        ...

    async def put(self, record: RecordT) -> None:
        """Store a record in place of any other with its id."""
        ...

    async def change(self, record_id: str, changes: Mapping[str, Any]) -> RecordT | None:
        """Set the named fields, None clears; the changed record, or None where there is none."""
        ...

    async def remove(self, record_id: str) -> bool: ...

    async def page(self, *, skip: int, limit: int) -> Sequence[RecordT]:
        """Records in the order of their ids."""
        ...


class Directory(Protocol):
    """Who may do what, and what it costs."""

    @property
    def keys(self) -> Collection[VirtualKey]: ...

    @property
    def users(self) -> Collection[User]: ...

    @property
    def budgets(self) -> Collection[Budget]: ...

    @property
    def prices(self) -> Collection[Price]: ...

    @property
    def price_patterns(self) -> Collection[Price]:
        """Prices whose names hold wildcards; few, because each request may read them all."""
        ...

    def price_history(self, model_key: str) -> Collection[PriceStatement]: ...

    @property
    def aliases(self) -> Collection[Alias]: ...

    async def link_digest(self, digest: str, key_id: str) -> None:
        """Make a key findable by a digest. Links are never changed."""
        ...

    async def unlink_digest(self, digest: str) -> None: ...

    async def key_id_of(self, digest: str) -> str | None: ...


class PriceCatalogue(Protocol):
    """Public prices that the software ships with."""

    @property
    def date(self) -> str:
        """The day that they are of, YYYY-MM-DD."""
        ...

    def price(self, name: ModelName, now: datetime) -> Price | None:
        """A model's price at a time, from exactly its provider."""
        ...

    def why_not(self, name: ModelName) -> str | None:
        """Why there is no price, for a person; None where there is one."""
        ...

    def models(self, provider: str) -> Sequence[str]:
        """The names of a provider's priced models."""
        ...


class Links(Protocol):
    """Names that lead to ids, each name of a kind at most once: emails, vaults' public keys."""

    async def claim(self, kind: str, name: str, target: str) -> str:
        """Give a free name to a target; whose it is now, which may be another's."""
        ...

    async def find(self, kind: str, name: str) -> str | None: ...

    async def release(self, kind: str, name: str, target: str) -> None:
        """Free a name, if it is this target's."""
        ...


class Proofs(Protocol):
    """Challenges and sessions, which disappear by themselves some time after they have expired."""

    async def issue(self, challenge: Challenge) -> None: ...

    async def take(self, digest: str) -> Challenge | None:
        """Remove a challenge and give it; of two who take it, one gets it."""
        ...

    async def open(self, session: Session) -> None: ...

    async def session(self, digest: str) -> Session | None: ...

    async def end(self, digest: str) -> None: ...


class Leases(Protocol):
    async def add(self, lease: Lease) -> None: ...

    async def get(self, lease_id: str) -> Lease | None:
        """Read consistently: a report must see the one before."""
        ...

    async def advance(self, lease: Lease) -> bool:
        """Store a lease's next revision; False if another got there first, and nothing changed."""
        ...

    async def remove(self, lease_id: str) -> None: ...


class Entered(Enum):
    """What became of a usage event."""

    NEW = "new"
    DUPLICATE = "duplicate"
    LEASE_MOVED_ON = "lease_moved_on"


class Platform(Protocol):
    """People, projects, and what belongs to each project."""

    @property
    def people(self) -> Collection[Person]: ...

    @property
    def projects(self) -> Collection[Project]: ...

    @property
    def links(self) -> Links: ...

    @property
    def proofs(self) -> Proofs: ...

    @property
    def leases(self) -> Leases: ...

    def members(self, project_id: str) -> Collection[Membership]:
        """Who belongs to a project, by person."""
        ...

    def memberships(self, person_id: str) -> Collection[Membership]:
        """What a person belongs to, by project; access is decided by these."""
        ...

    def provider_keys(self, project_id: str) -> Collection[ProviderKey]: ...

    def clients(self, project_id: str) -> Collection[Client]: ...

    def budgets(self, project_id: str) -> Collection[ProjectBudget]:
        """The project's own budgets and its clients', by slot."""
        ...

    def shares(self, project_id: str) -> Collection[VaultShare]:
        """Who can open a project's vault, by holder."""
        ...

    async def secret(self, name: str) -> bytes:
        """32 random bytes of this deployment's, made when first asked for."""
        ...


class Ledger(Protocol):
    """Accounts. An account comes into being with its first reservation."""

    async def reserve(
        self, account: AccountKey, hold: Hold, limit_usd: Decimal | None
    ) -> Shortfall | None:
        """Commit the hold's amount if the limit leaves room for it.

        None means it is held, also when this hold was made before; a Shortfall says what is left
        and that nothing changed.

        Raises:
            StoreUnavailable: nobody knows whether it is held; release it or let it expire.
        """
        ...

    async def adjust(
        self, account: AccountKey, hold: Hold, amount_usd: Decimal, limit_usd: Decimal | None
    ) -> Shortfall | None:
        """Make an open hold one of another amount, if the limit leaves room for what it adds.

        None means that it holds `amount_usd`, also when it did before. A Shortfall says the most
        that it could hold, nothing if it is not open (any more), and that nothing changed. A hold
        that becomes smaller always fits.

        Raises:
            StoreUnavailable: nobody knows which of the two amounts is held.
        """
        ...

    async def settle(self, account: AccountKey, hold: Hold, cost_usd: Decimal) -> bool:
        """Replace an open hold by its cost, exactly once, even a cost above the hold.

        False means that the hold was not open (any more) and nothing changed.
        """
        ...

    async def release(self, account: AccountKey, hold: Hold) -> bool:
        """Give an open hold back: `settle` at no cost."""
        ...

    async def balances(self, accounts: Sequence[AccountKey]) -> Mapping[AccountKey, Balance]:
        """Balances of those accounts that exist."""
        ...

    async def open(self, account: AccountKey, spent_usd: Decimal) -> bool:
        """Bring an account into being with spending carried into it; False if it exists."""
        ...

    def open_accounts(self) -> AsyncIterator[AccountKey]:
        """Every account that is not closed, read in pages as they are asked for."""
        ...

    async def close(self, account: AccountKey) -> bool:
        """Close an account without open holds for good; False if it was closed, or holds are."""
        ...


class UsageLog(Protocol):
    async def record(self, entry: UsageRecord) -> UsageRecord:
        """Enter a record once; if the request has one already, that one is kept and returned."""
        ...

    async def enter(self, event_id: str, entry: UsageRecord, lease: Lease | None) -> Entered:
        """Enter the record of an event that a client reported, and its lease's next revision.

        Both or neither. An event's id, unique within `entry.user_id`, is entered once.
        """
        ...

    async def page(
        self, wanted: UsageFilter, *, limit: int, cursor: str | None = None
    ) -> UsagePage:
        """Records newest first.

        Raises:
            InvalidRequest: the cursor is not one that a page gave.
        """
        ...

    async def user_page(self, user_id: str, *, skip: int, limit: int) -> Sequence[UsageRecord]:
        """One user's records, newest first."""
        ...


class AuditLog(Protocol):
    """Who changed what. Entries disappear by themselves `KEPT_DAYS` after they were made."""

    async def record(self, entry: AuditEntry) -> None:
        """Enter an entry; again changes nothing."""
        ...

    async def page(
        self, wanted: AuditFilter, *, limit: int, cursor: str | None = None
    ) -> AuditPage:
        """Entries newest first.

        Raises:
            InvalidRequest: the cursor is not one that a page gave.
        """
        ...


class ResetLog(Protocol):
    async def append(self, entry: ResetRecord) -> bool:
        """Enter a reset once; False if it was there."""
        ...

    async def page(
        self, budget_id: str, *, limit: int, cursor: str | None = None
    ) -> tuple[Sequence[ResetRecord], str | None]:
        """A budget's resets, newest first, and where the next page begins."""
        ...


class RateLimiter(Protocol):
    async def take(self, limit: RateLimit, *, tokens: int, now: datetime) -> RateWindow:
        """Count one request and its tokens, unless that would exceed the limit."""
        ...

    async def adjust(self, limit: RateLimit, *, tokens: int, now: datetime) -> None:
        """Correct the tokens of the window in which `now` lies, by a positive or negative count."""
        ...


class UpstreamAnswer(Protocol):
    """A provider's answer whose status and headers have arrived."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, decoded, as it arrives.

        Raises:
            UpstreamTimeout: no byte for longer than the request allows.
            UpstreamBroken: the connection ended before the body did.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection; before the body's end this cancels the provider's work."""
        ...


class Upstream(Protocol):
    """The HTTP hop to providers."""

    async def send(self, request: UpstreamRequest) -> UpstreamAnswer:
        """Send a request and wait for the answer's status and headers. Follows no redirect.

        Raises:
            UpstreamUnreachable: no connection, so nothing was spent.
            UpstreamTimeout: connected, and no answer in time.
            UpstreamBroken: connected, and no sensible answer.
        """
        ...

    async def close(self) -> None: ...
