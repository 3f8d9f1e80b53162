"""What routes ask for: the services, and that the caller holds the master key."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from bursar.services.administration import AdminServices
from bursar.services.credentials import presented_credential
from functions.admin.acting import as_administrator
from functions.admin.direct import is_direct
from functions.admin.settings import AdminSettings

__all__ = ["AdminServices", "Master", "PriceReader", "Services", "Settings"]

# The schemes document the headers; which of them decides is `presented_credential`'s to say.
_SCHEMES = (
    HTTPBearer(
        scheme_name="Authorization",
        description="The master key as a bearer token.",
        auto_error=False,
    ),
    APIKeyHeader(
        name="X-AnyLLM-Key",
        scheme_name="X-AnyLLM-Key",
        description="`Bearer ` and the master key. `AnyLLM-Key` and `Otari-Key` work as well.",
        auto_error=False,
    ),
    APIKeyHeader(
        name="x-api-key",
        scheme_name="x-api-key",
        description="The master key alone.",
        auto_error=False,
    ),
)


def _services(request: Request) -> AdminServices:
    services: AdminServices = request.app.state.services
    return services


def _settings(request: Request) -> AdminSettings:
    settings: AdminSettings = request.app.state.settings
    return settings


Services = Annotated[AdminServices, Depends(_services)]
Settings = Annotated[AdminSettings, Depends(_settings)]


async def _require_master(request: Request, services: Services) -> None:
    if not is_direct(request.scope):
        services.master_key.check_configured()
        services.master_key.check(presented_credential(request.headers))
    as_administrator(request)


async def _require_price_reader(request: Request, services: Services, settings: Settings) -> None:
    if not settings.public_prices:
        await _require_master(request, services)


Master = (Depends(_require_master), *(Security(scheme) for scheme in _SCHEMES))
PriceReader = (Depends(_require_price_reader),)
