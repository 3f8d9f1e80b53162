"""SageMaker's OpenAI-compatible endpoints: a short-lived token that a role signs by itself.

The token is what AWS's SDK for SageMaker makes: a URL of the control plane, signed in its query for
the action CallWithBearerToken, without its scheme, in base64 behind a prefix. No request is made
for it. The role needs sagemaker:CallWithBearerToken and sagemaker:InvokeEndpoint.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final

from bursar.aws.sigv4 import SigningKey, presigned_query
from bursar.upstream.authorization.scheme import Grant, bearer

if TYPE_CHECKING:
    from collections.abc import Callable

    from bursar.aws.credentials import Credentials
    from bursar.domain.upstream import Authorization, UpstreamRequest
    from bursar.upstream.authorization.aws import RoleCredentials

_SERVICE: Final = "sagemaker"
_HOST: Final = "sagemaker.amazonaws.com"
_PREFIX: Final = "sagemaker-api-key-"
_HELD_S: Final = 3600
_KEPT_S: Final = 1800


class SageMakerScheme:
    """Makes a token and keeps it while its role's credentials stay the same.

    Args:
        role: whose credentials sign.
        now_s: the Unix time.
    """

    def __init__(self, role: RoleCredentials, now_s: Callable[[], float]) -> None:
        self._role = role
        self._now_s = now_s
        self._kept: dict[str, tuple[Credentials, float, str]] = {}

    async def grant(self, request: UpstreamRequest, authorization: Authorization) -> Grant:
        if authorization.secret is not None:
            return Grant(bearer(authorization.secret))
        credentials = await self._role.current(request.provider)
        region = authorization.parameters.get("region", "")
        signed_with, until_s, token = self._kept.get(region, (None, 0.0, ""))
        if signed_with != credentials or self._now_s() >= until_s:
            token = token_of(credentials, region, self._now_s())
            self._kept[region] = (credentials, self._now_s() + _KEPT_S, token)
        return Grant(bearer(token))


def token_of(credentials: Credentials, region: str, now_s: float) -> str:
    """A token that holds for an hour, or as long as the credentials do."""
    query = presigned_query(
        SigningKey(region=region, service=_SERVICE),
        credentials,
        f"https://{_HOST}/?Action=CallWithBearerToken",
        expires_s=_HELD_S,
        now_s=now_s,
    )
    return _PREFIX + b64encode(f"{_HOST}/?{query}&Version=1".encode()).decode()
