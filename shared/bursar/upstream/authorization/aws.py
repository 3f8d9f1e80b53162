"""AWS: a signature with the process's own role, or a key of Bedrock's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.aws.credentials import credentials_from
from bursar.aws.sigv4 import SigningKey, post_headers
from bursar.domain.errors import StoreUnavailable, WrongSetting
from bursar.upstream.authorization.scheme import Grant, bearer, not_authorized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.aws.credentials import Credentials, CredentialSource
    from bursar.domain.upstream import Authorization, UpstreamRequest

_SERVICE: Final = "bedrock"
_REGION: Final = "us-east-1"


class RoleCredentials:
    """The credentials of the process's role, looked for when they are first needed."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._source: CredentialSource | None = None

    @property
    def region(self) -> str:
        """Where the process runs; made up where it does not say."""
        return self._environ.get("AWS_REGION") or self._environ.get("AWS_DEFAULT_REGION") or _REGION

    async def current(self, provider: str) -> Credentials:
        """Credentials that are valid now.

        Raises:
            UpstreamUnreachable: there are none, so the provider cannot be called.
        """
        try:
            if self._source is None:
                self._source = credentials_from(self._environ, is_local=False)
            return await self._source.current()
        except WrongSetting:
            reason = "the gateway's process has no AWS role or credentials"
        except StoreUnavailable:
            reason = "the credentials of the gateway's AWS role could not be read"
        raise not_authorized(provider, reason)


class AwsScheme:
    """Signs each request; one with a key carries that instead, as Bedrock's API keys want it.

    Args:
        role: whose credentials sign.
        now_s: the Unix time.
    """

    def __init__(self, role: RoleCredentials, now_s: Callable[[], float]) -> None:
        self._role = role
        self._now_s = now_s
        self._keys: dict[str, SigningKey] = {}

    async def grant(self, request: UpstreamRequest, authorization: Authorization) -> Grant:
        # An empty key is a key that is wrong, never a reason to call as the deployment.
        if authorization.secret is not None:
            return Grant(bearer(authorization.secret))
        credentials = await self._role.current(request.provider)
        region = authorization.parameters.get("region", "")
        key = self._keys.setdefault(region, SigningKey(region=region, service=_SERVICE))
        headers = post_headers(
            key,
            credentials,
            request.url,
            content_type=request.headers.get("content-type", ""),
            body=request.body,
            now_s=self._now_s(),
        )
        return Grant(headers)
