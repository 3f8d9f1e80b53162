"""Wires adapters into services, from settings.

Only the HTTP client to providers is chosen by each entry point, because what is imported here is
paid for by every cold start.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bursar.domain.errors import Conflict, InvalidRequest, WrongSetting
from bursar.domain.events import Observe, unobserved
from bursar.domain.models import parse_model
from bursar.domain.price_patterns import is_pattern
from bursar.domain.pricing import Price
from bursar.domain.upstream import Target
from bursar.ports import (
    AuditLog,
    Directory,
    Ledger,
    Platform,
    PriceCatalogue,
    RateLimiter,
    ResetLog,
    Upstream,
    UsageLog,
)
from bursar.prices.catalogue import CompiledCatalogue
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
from bursar.services.price_lookup import PriceLookup
from bursar.services.project_lookup import ProjectLookup
from bursar.services.rates import Rates
from bursar.services.routes import Routes
from bursar.services.sweep import Sweep
from bursar.services.tab import Till
from bursar.services.targets import Targets
from bursar.services.token_count import TokenCount
from bursar.services.vault_targets import VaultTargets
from bursar.store.directory import DynamoDirectory
from bursar.store.ledger import DynamoLedger
from bursar.store.platform import DynamoPlatform
from bursar.store.rate_limiter import DynamoRateLimiter
from bursar.store.reset_log import DynamoResetLog
from bursar.store.usage_log import DynamoUsageLog
from bursar.upstream.authorization.authorizing import AuthorizingUpstream
from bursar.upstream.authorization.schemes import schemes
from bursar.upstream.catalogue import LEFT_OUT, load_catalogue
from bursar.upstream.mock import MOCK_PROVIDER, MOCK_TARGET, MockUpstream
from bursar.upstream.routing import ProviderRouter
from bursar.upstream.targets import addressed, resolve_targets, role_providers

if TYPE_CHECKING:
    from bursar.domain.provider_standings import ProviderStanding
    from bursar.services.admin_providers import Standings
    from bursar.services.administration import AdminServices
    from bursar.services.platform.office import PlatformServices
    from bursar.settings import Settings
    from bursar.store.call import Call

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Storage:
    """The store's ports over one connection.

    Attributes:
        audit_log: makes it, for the control plane: the others start faster without its modules.
    """

    directory: Directory
    ledger: Ledger
    usage_log: UsageLog
    reset_log: ResetLog
    rate_limiter: RateLimiter
    platform: Platform
    audit_log: Callable[[], AuditLog]


@dataclass(frozen=True, slots=True)
class ProxyServices:
    """What the data plane serves."""

    completion: Completion
    token_count: TokenCount
    model_list: ModelList
    request_bytes_max: int


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers that can be called, and what calls them.

    Attributes:
        catalogue: every one that is known, where this deployment finds it and without a key.
        left_out: configured ones that have no API which the gateway could speak with.
        refreshed: gives the targets whose keys may change while the process runs.
    """

    targets: Mapping[str, Target]
    upstream: Upstream
    catalogue: Mapping[str, Target]
    left_out: tuple[str, ...] = ()
    refreshed: Callable[[], Awaitable[Mapping[str, Target]]] | None = None


def utc_now() -> datetime:
    return datetime.now(UTC)


def connect(call: Call, table: str) -> Storage:
    """Build the store over whatever carries its operations."""

    def audit_log() -> AuditLog:
        from bursar.store.audit_log import DynamoAuditLog  # noqa: PLC0415 (see `Storage`)

        return DynamoAuditLog(call, table)

    return Storage(
        directory=DynamoDirectory(call, table),
        ledger=DynamoLedger(call, table),
        usage_log=DynamoUsageLog(call, table),
        reset_log=DynamoResetLog(call, table),
        rate_limiter=DynamoRateLimiter(call, table),
        platform=DynamoPlatform(call, table),
        audit_log=audit_log,
    )


def master_key(settings: Settings) -> MasterKey:
    """The deployment's master key, known by its text or by its digest.

    Raises:
        WrongSetting: the digest is not one.
    """
    if settings.master_key is not None:
        return MasterKey.of(settings.master_key)
    return MasterKey(settings.master_key_digest)


def providers(settings: Settings, environ: Mapping[str, str], client: Upstream) -> Providers:
    """Find the providers in settings and environment; the mock is there only if it is asked for.

    A configuration that was brought along may name providers that have no such API: they are left
    out.

    Raises:
        WrongSetting: a provider's settings cannot be right.
    """
    left_out = tuple(sorted(name for name in settings.providers if name in LEFT_OUT))
    catalogue = load_catalogue()
    served = role_providers(settings.role_providers, catalogue)
    served |= {name: own for name, own in settings.providers.items() if name not in left_out}
    allows_private = settings.allow_private_upstreams
    targets = dict(resolve_targets(served, environ, catalogue, allows_private=allows_private))
    if settings.mock:
        targets[MOCK_PROVIDER.name] = MOCK_TARGET
    authorizing = AuthorizingUpstream(client, schemes(environ, client, time.time))
    upstream = ProviderRouter(authorizing, {MOCK_PROVIDER.name: MockUpstream()})
    refreshed = _refreshing_targets(settings, environ) if settings.provider_keys_path else None
    addresses = addressed(catalogue, environ, allows_private=allows_private)
    return Providers(targets, upstream, addresses, left_out, refreshed)


def _refreshing_targets(
    settings: Settings, environ: Mapping[str, str]
) -> Callable[[], Awaitable[Mapping[str, Target]]]:
    # Only a deployment whose keys are parameters pays for these modules.
    from bursar.secrets.parameters import checked_path, connect_parameters  # noqa: PLC0415
    from bursar.secrets.provider_keys import targets_of  # noqa: PLC0415
    from bursar.secrets.refreshing import RefreshingTargets  # noqa: PLC0415

    catalogue = load_catalogue()
    return RefreshingTargets(
        connect_parameters(environ),
        checked_path(settings.provider_keys_path or ""),
        lambda parameters: targets_of(
            parameters,
            settings.providers,
            catalogue,
            environ,
            allows_private=settings.allow_private_upstreams,
        ),
        time.time,
    )


def catalogue_of_prices(settings: Settings) -> PriceCatalogue | None:
    """The public prices that come with the software, unless the deployment does without."""
    return CompiledCatalogue() if settings.policy.use_price_catalogue else None


def proxy_services(
    settings: Settings, storage: Storage, reached: Providers, observe: Observe = unobserved
) -> ProxyServices:
    """Wire the data plane."""
    policy = settings.policy
    prices = catalogue_of_prices(settings)
    found = PriceLookup(storage.directory, prices, utc_now, policy.directory_age_s)
    lookup = Lookup(storage.directory, policy.directory_age_s, found.price)
    projects = ProjectLookup(storage.platform, policy.directory_age_s)
    identity = Identity(lookup, projects, master_key(settings), policy, utc_now)
    targets = Targets(reached.targets, reached.refreshed)
    vaults = VaultTargets(projects, targets, reached.catalogue, utc_now)
    till = Till(storage.ledger, storage.usage_log, policy, utc_now, observe)
    breaker = Breaker()
    legs = Legs(targets, vaults, lookup, breaker=breaker, policy=policy, clock=utc_now)
    exchange = Exchange(reached.upstream, till, policy)
    routes = Routes(lookup, targets, frozenset(reached.catalogue), policy.retries)
    rates = Rates(storage.rate_limiter, policy, utc_now)
    completion = Completion(
        identity=identity,
        routes=routes,
        rates=rates,
        attempts=Attempts(exchange, till, legs, breaker=breaker, policy=policy, clock=utc_now),
        last_use=LastUse(storage.directory, storage.platform, utc_now),
        observe=observe,
    )
    count = TokenCount(identity, routes, rates, targets, vaults, reached.upstream, policy)
    models = ModelList(identity, lookup, storage.directory, vaults, targets, prices)
    return ProxyServices(completion, count, models, settings.request_bytes_max)


def admin_services(
    settings: Settings, storage: Storage, standings: Standings | None = None
) -> AdminServices:
    """Wire the control plane.

    Args:
        standings: tells which providers can be called; None where that is known elsewhere only.
    """
    # The data plane starts faster without these modules.
    from bursar.services.administration import AdminServices  # noqa: PLC0415

    return AdminServices(
        directory=storage.directory,
        ledger=storage.ledger,
        usage_log=storage.usage_log,
        reset_log=storage.reset_log,
        audit_log=storage.audit_log(),
        master_key=master_key(settings),
        clock=utc_now,
        catalogue=catalogue_of_prices(settings),
        providers=provider_names(settings),
        has_other_providers=settings.provider_keys_path is not None,
        standings=standings or _unknown_standings,
    )


def standings(settings: Settings, environ: Mapping[str, str], reached: Providers) -> Standings:
    """Tell which providers a process can call, as it is one that calls them itself."""
    from bursar.upstream.standings import Sources, standings_of  # noqa: PLC0415 (as above)

    sources = Sources(settings.providers, environ, settings.provider_keys_path)

    async def read() -> Sequence[ProviderStanding]:
        refreshed = await reached.refreshed() if reached.refreshed is not None else {}
        return standings_of(load_catalogue(), reached.targets, refreshed, sources)

    return read


async def _unknown_standings() -> Sequence[ProviderStanding]:
    from bursar.upstream.standings import unknown_standings  # noqa: PLC0415 (as above)

    return unknown_standings(load_catalogue())


def provider_names(settings: Settings) -> frozenset[str]:
    """Those of the catalogue and of the settings, reachable or not."""
    return frozenset((*load_catalogue(), *settings.providers, MOCK_PROVIDER.name))


def platform_services(settings: Settings, storage: Storage) -> PlatformServices:
    """Wire the platform."""
    # The data plane starts faster without these modules.
    from bursar.services.platform.office import PlatformServices  # noqa: PLC0415

    return PlatformServices(
        platform=storage.platform,
        directory=storage.directory,
        ledger=storage.ledger,
        usage_log=storage.usage_log,
        reset_log=storage.reset_log,
        rate_limiter=storage.rate_limiter,
        master_key=master_key(settings),
        policy=settings.policy,
        rules=settings.platform,
        clock=utc_now,
        catalogue=catalogue_of_prices(settings),
    )


def sweep(settings: Settings, storage: Storage) -> Sweep:
    """Wire the schedule's work."""
    return Sweep(
        ledger=storage.ledger,
        usage_log=storage.usage_log,
        reset_log=storage.reset_log,
        directory=storage.directory,
        policy=settings.policy,
        clock=utc_now,
        platform=storage.platform,
        leases=LeaseEnd(storage.platform, storage.usage_log, utc_now),
    )


async def seed_prices(settings: Settings, storage: Storage) -> None:
    """Enter the file's prices where the table has none; where it has another, that one stays."""
    now = utc_now()
    for text, configured in settings.pricing.items():
        model_key = str(parse_model(text))
        row = Price(
            model_key,
            configured.input_usd_per_million,
            configured.output_usd_per_million,
            created_at=now,
            updated_at=now,
        )
        directory = storage.directory
        rows = directory.price_patterns if is_pattern(model_key) else directory.prices
        if not await rows.add(row):
            _LOG.info("the table's price stays", extra={"model": model_key})


async def seed_aliases(settings: Settings, storage: Storage) -> None:
    """Enter the file's aliases where the table has none; where it has another, that one stays.

    Raises:
        WrongSetting: one of them cannot be.
    """
    from bursar.services.admin_aliases import AliasRequest  # noqa: PLC0415 (see above)

    aliases = admin_services(settings, storage).aliases
    for configured in settings.aliases:
        wanted = AliasRequest(
            configured.name,
            configured.targets,
            configured.strategy,
            configured.tier_down,
            configured.retries,
        )
        try:
            await aliases.create(wanted)
        except Conflict:
            _LOG.info("the table's alias stays", extra={"alias": configured.name})
        except InvalidRequest as refusal:
            raise WrongSetting(f"aliases.{configured.name}: {refusal.message}") from None
