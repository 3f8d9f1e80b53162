"""What the platform's routes ask for: the services, and who is asking."""

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from bursar.domain.errors import Unauthenticated
from bursar.domain.people import Person
from bursar.services.platform.access import ProjectSession
from bursar.services.platform.office import PlatformServices
from functions.admin.acting import as_person, as_project

__all__ = ["Bearer", "Me", "Office", "PlatformServices", "ProjectToken", "Source"]

_SCHEME = "Bearer "
_SITE_BITS = 64
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


async def _office(request: Request) -> PlatformServices:
    office: PlatformServices = request.app.state.platform
    return office


def _token(request: Request) -> str:
    presented = request.headers.get("authorization", "")
    if not presented.startswith(_SCHEME):
        raise Unauthenticated("Not authenticated: present 'Authorization: Bearer <token>'")
    return presented.removeprefix(_SCHEME)


async def _source(request: Request) -> str:
    """Where a caller is in the network, as far as that is known.

    Of IPv6 the first 64 bits: whoever has one of those addresses has all of them.
    """
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), _SITE_BITS), strict=False))


async def _person_token(request: Request, _: Annotated[object, Security(_SIGNED_IN)]) -> str:
    return _token(request)


async def _project_token(request: Request, _: Annotated[object, Security(_PROVEN)]) -> str:
    return _token(request)


Office = Annotated[PlatformServices, Depends(_office)]
Bearer = Annotated[str, Depends(_person_token)]
Source = Annotated[str, Depends(_source)]


async def _me(request: Request, office: Office, token: Bearer) -> Person:
    person = await office.access.person(token)
    as_person(request, person)
    return person


async def _project(
    request: Request, office: Office, token: Annotated[str, Depends(_project_token)]
) -> ProjectSession:
    session = await office.access.project_of(token)
    as_project(request, session.project.project_id)
    return session


Me = Annotated[Person, Depends(_me)]
ProjectToken = Annotated[ProjectSession, Depends(_project)]
