"""A project's proof: its token, or the two headers of the oldest SDKs."""

from typing import Annotated

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPBearer

from bursar.services.platform.access import ProjectSession
from functions.admin.platform.dependencies import Office

_PREFIX = "Bearer "
_SCHEME = HTTPBearer(
    scheme_name="Project",
    description="A token from `/api/v1/auth/token`.",
    auto_error=False,
)

_Key = Annotated[
    str | None, Header(alias="encryption-key", description="SDKs 1.3 to 1.6: the public key.")
]
_Solution = Annotated[
    str | None,
    Header(alias="AnyLLM-Challenge-Response", description="SDKs 1.3 to 1.6: a solved challenge."),
]


async def _proven(
    request: Request,
    office: Office,
    _: Annotated[object, Security(_SCHEME)],
    encryption_key: _Key = None,
    solution: _Solution = None,
) -> ProjectSession:
    if encryption_key is not None and solution is not None:
        return await office.challenges.redeem_legacy(encryption_key, solution)
    presented = request.headers.get("authorization", "")
    return await office.access.project_of(presented.removeprefix(_PREFIX))


Proven = Annotated[ProjectSession, Depends(_proven)]
ClientName = Annotated[
    str | None,
    Header(
        alias="AnyLLM-Client-Name",
        description="Which of the project's clients this counts for; else the default one.",
    ),
]
