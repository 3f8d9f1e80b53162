"""Builds the gateway of one machine from its settings and its engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bursar import bootstrap
from bursar.store.connect import connect
from bursar.store.consistent import consistent
from bursar.store.schema import ensure_table
from bursar.upstream.aiohttp_client import AiohttpUpstream
from functions.admin.app import create_app as create_admin
from functions.admin.settings import AdminSettings
from functions.proxy.app import create_app as create_proxy
from functions.server.first_run import (
    Credentials,
    add_mock_price,
    ensure_virtual_key,
    first_model,
    new_master_key,
    save_credentials,
)
from functions.server.gateway import Gateway
from functions.server.greeting import greeting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.bootstrap import Providers
    from bursar.settings import Settings
    from functions.server.engine import Engine


@dataclass(frozen=True, slots=True)
class Started:
    """A gateway that is ready to serve, and what to tell whoever started it."""

    app: Gateway
    greeting: str


async def prepare(
    settings: Settings, engine: Engine, kept: Credentials, environ: Mapping[str, str]
) -> Started:
    """Create what is missing, and wire everything.

    Raises:
        WrongSetting: a provider's settings cannot be right.
        StoreUnavailable: the engine refuses.
    """
    reached = _providers(settings, environ)
    settings, master_key = _with_master_key(settings, kept)
    call = connect({**environ, "DYNAMODB_ENDPOINT": engine.endpoint})
    await ensure_table(call, settings.table)
    storage = bootstrap.connect(call, settings.table)
    await bootstrap.seed_prices(settings, storage)
    await bootstrap.seed_aliases(settings, storage)
    await add_mock_price(storage.directory, reached.targets)
    managed = bootstrap.connect(consistent(call), settings.table)
    admin = bootstrap.admin_services(
        settings, managed, bootstrap.standings(settings, environ, reached)
    )
    virtual_key = kept.virtual_key
    if settings.bootstrap_api_key:
        virtual_key = await ensure_virtual_key(admin, kept.virtual_key)
    save_credentials(settings.data_dir, Credentials(master_key or kept.master_key, virtual_key))
    app = Gateway(
        create_proxy(
            bootstrap.proxy_services(settings, storage, reached),
            settings.cors_allow_origins,
        ),
        create_admin(
            admin, bootstrap.platform_services(settings, managed), _admin_settings(settings)
        ),
        bootstrap.sweep(settings, storage),
        settings.sweep_interval_s,
        closing=(reached.upstream.close, call.close),
    )
    text = greeting(
        url=_url(settings),
        engine=engine.name,
        providers=sorted(reached.targets),
        master_key=master_key,
        virtual_key=virtual_key,
        model=first_model(
            reached.targets,
            settings.pricing,
            has_catalogue=settings.policy.use_price_catalogue,
        ),
        notices=_notices(engine, reached),
    )
    return Started(app, text)


def _admin_settings(settings: Settings) -> AdminSettings:
    return AdminSettings(
        settings.cors_allow_origins,
        settings.public_prices,
        describes_data_plane=True,
        deployment=settings,
    )


def _providers(settings: Settings, environ: Mapping[str, str]) -> Providers:
    """The providers; the mock is among them where it is asked for or nothing else is there."""
    client = AiohttpUpstream()
    found = bootstrap.providers(settings, environ, client)
    if found.targets or found.refreshed is not None or settings.mock is not None:
        return found
    return bootstrap.providers(replace(settings, mock=True), environ, client)


def _notices(engine: Engine, reached: Providers) -> list[str]:
    notices = [] if engine.notice is None else [engine.notice]
    if reached.left_out:
        notices.append(f"Not served by this version, so left out: {', '.join(reached.left_out)}")
    return notices


def _with_master_key(settings: Settings, kept: Credentials) -> tuple[Settings, str | None]:
    """The settings with a master key, and its text where this machine made it up."""
    if settings.master_key is not None or settings.master_key_digest is not None:
        return settings, None
    made_up = kept.master_key or new_master_key()
    return replace(settings, master_key=made_up), made_up


def _url(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
