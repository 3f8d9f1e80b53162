"""AWS credentials: fixed ones, or those a container's own endpoint hands out.

Not read: profiles in files and EC2's instance metadata. boto3 reads those.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from bursar.aws.transport import Origin, Pool, TransportFailed
from bursar.domain.errors import StoreUnavailable, WrongSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_RENEWED_BEFORE: Final = timedelta(minutes=5)
_TASK_ENDPOINT: Final = "http://169.254.170.2"
_PLAIN_HOSTS: Final = frozenset(
    {"localhost", "127.0.0.1", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"}
)
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request; kept out of the representation."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


class CredentialSource(Protocol):
    async def current(self) -> Credentials:
        """Credentials that are valid now.

        Raises:
            StoreUnavailable: there are none to be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class FixedCredentials:
    credentials: Credentials

    async def current(self) -> Credentials:
        return self.credentials


class _Answer(msgspec.Struct, rename="pascal"):
    """The endpoint's answer, as AWS documents it for containers."""

    access_key_id: str
    secret_access_key: str
    token: str | None = None
    expiration: datetime | None = None


class ContainerCredentials:
    """Credentials from a container's endpoint, renewed before they expire.

    Args:
        url: the endpoint. Plain HTTP is for the machine's own addresses only.
        authorization: makes the Authorization header's value; read anew each time, as a file
            with it may be rotated.
    """

    def __init__(
        self,
        url: str,
        authorization: Callable[[], str | None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._origin = Origin.of(url)
        if not self._origin.is_tls and self._origin.host not in _PLAIN_HOSTS:
            raise WrongSetting(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or an address of this machine"
            )
        self._path = Origin.path_of(url)
        self._authorization = authorization
        self._now = now
        self._credentials: Credentials | None = None
        self._expires_at: datetime | None = None

    async def current(self) -> Credentials:
        credentials = self._credentials
        if credentials is not None and not self._expires_within(_RENEWED_BEFORE):
            return credentials
        try:
            return await self._renew()
        except (TransportFailed, msgspec.DecodeError, OSError) as failure:
            if credentials is not None and not self._expires_within(timedelta()):
                return credentials
            raise StoreUnavailable("The container's endpoint gave no credentials") from failure

    def _expires_within(self, margin: timedelta) -> bool:
        return self._expires_at is not None and self._now() >= self._expires_at - margin

    async def _renew(self) -> Credentials:
        pool = Pool(self._origin)
        try:
            answer = await pool.exchange(self._request())
        finally:
            pool.close()
        if answer.status != _OK:
            raise TransportFailed(f"status {answer.status}")
        found = msgspec.json.decode(answer.body, type=_Answer)
        self._expires_at = found.expiration
        self._credentials = Credentials(
            found.access_key_id, found.secret_access_key, found.token or None
        )
        return self._credentials

    def _request(self) -> bytes:
        lines = [f"GET {self._path} HTTP/1.1", f"Host: {self._origin.host_header}"]
        authorization = self._authorization()
        if authorization is not None:
            lines.append(f"Authorization: {authorization}")
        return "\r\n".join([*lines, "Accept: application/json", "", ""]).encode()


def credentials_from(environ: Mapping[str, str], *, is_local: bool) -> CredentialSource:
    """Find credentials in an environment; a local engine needs none, so it gets made-up ones.

    Raises:
        WrongSetting: there are none.
    """
    if "AWS_ACCESS_KEY_ID" in environ and "AWS_SECRET_ACCESS_KEY" in environ:
        return FixedCredentials(
            Credentials(
                environ["AWS_ACCESS_KEY_ID"],
                environ["AWS_SECRET_ACCESS_KEY"],
                environ.get("AWS_SESSION_TOKEN") or None,
            )
        )
    url = _container_url(environ)
    if url is not None:
        return ContainerCredentials(url, lambda: _authorization(environ))
    if is_local:
        return FixedCredentials(Credentials("local", "local"))
    raise WrongSetting(
        "No AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "or DYNAMODB_ENDPOINT for a local engine"
    )


def _container_url(environ: Mapping[str, str]) -> str | None:
    relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    if relative:
        return _TASK_ENDPOINT + relative
    return environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") or None


def _authorization(environ: Mapping[str, str]) -> str | None:
    file = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    if file:
        return Path(file).read_text(encoding="utf-8").strip()
    return environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN") or None
