"""What the platform's routes ask for: the services, and who is asking."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from bursar.domain.errors import Unauthenticated
from bursar.domain.people import Person
from bursar.services.credentials import presented_credential
from bursar.services.platform.access import ProjectSession
from bursar.services.platform.office import PlatformServices

__all__ = ["Bearer", "Me", "Office", "PlatformServices", "ProjectToken", "Source"]

_SCHEME = "Bearer "
_SIGNED_IN = HTTPBearer(
    scheme_name="Person",
    description="A token from `/api/v1/login/access-token`.",
    auto_error=False,
)
_PROVEN = HTTPBearer(
    scheme_name="Project",
    description="A token from `/api/v1/auth/token`.",
    auto_error=False,
)


def _office(request: Request) -> PlatformServices:
    office: PlatformServices = request.app.state.platform
    return office


def _token(request: Request) -> str:
    presented = request.headers.get("authorization", "")
    if not presented.startswith(_SCHEME):
        raise Unauthenticated("Not authenticated: present 'Authorization: Bearer <token>'")
    return presented.removeprefix(_SCHEME)


def _source(request: Request) -> str:
    """The caller's network address, as far as it is known."""
    return request.client.host if request.client else "unknown"


def _person_token(request: Request, _: Annotated[object, Security(_SIGNED_IN)]) -> str:
    return _token(request)


def _project_token(request: Request, _: Annotated[object, Security(_PROVEN)]) -> str:
    return _token(request)


Office = Annotated[PlatformServices, Depends(_office)]
Bearer = Annotated[str, Depends(_person_token)]
Source = Annotated[str, Depends(_source)]


async def _me(office: Office, token: Bearer) -> Person:
    return await office.access.person(token)


async def _project(
    office: Office, token: Annotated[str, Depends(_project_token)]
) -> ProjectSession:
    return await office.access.project_of(token)


async def _require_master(request: Request, office: Office) -> None:
    office.master_key.check_configured()
    office.master_key.check(presented_credential(request.headers))


Me = Annotated[Person, Depends(_me)]
ProjectToken = Annotated[ProjectSession, Depends(_project)]
MasterOnly = (Depends(_require_master), Security(_SIGNED_IN))
