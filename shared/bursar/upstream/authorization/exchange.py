"""The exchange of a credential for a token, as RFC 6749 shapes it, and a scheme made of it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import msgspec

from bursar.domain.errors import UpstreamError, UpstreamUnreachable
from bursar.domain.upstream import UpstreamRequest
from bursar.upstream.authorization.scheme import Grant, bearer, not_authorized
from bursar.upstream.authorization.tokens import Token, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.domain.upstream import Authorization
    from bursar.ports import Upstream, UpstreamAnswer

_OK: Final = 200
_TIMEOUT_S: Final = 15.0
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_ANSWER_BYTES_MAX: Final = 64 * 1024
_HEADERS: Final = {
    "content-type": "application/x-www-form-urlencoded",
    "accept": "application/json",
    "user-agent": "bursar",
}


class _Answer(msgspec.Struct):
    """A token endpoint's answer, RFC 6749, section 5.1."""

    access_token: str
    expires_in: float

    def __repr__(self) -> str:
        return "_Answer()"


class ExchangeScheme(ABC):
    """A bearer token that a credential is exchanged for, kept until shortly before it expires.

    Args:
        upstream: carries the exchange.
        now_s: the Unix time.
    """

    def __init__(self, upstream: Upstream, now_s: Callable[[], float]) -> None:
        self._upstream = upstream
        self._now_s = now_s
        self._tokens = Tokens(now_s)

    async def grant(self, request: UpstreamRequest, authorization: Authorization) -> Grant:
        name = digest_of(authorization)

        async def exchange() -> Token:
            return await self._exchange(request, authorization)

        token = await self._tokens.get(name, exchange)
        return Grant(bearer(token), lambda: self._tokens.refused(name, token))

    @abstractmethod
    def url(self, authorization: Authorization) -> str:
        """The token endpoint, where no parameter says another."""

    @abstractmethod
    def fields(self, authorization: Authorization, url: str) -> Mapping[str, str]:
        """The form that is sent to it.

        Raises:
            ValueError: the credential is none; the message holds nothing of it.
        """

    async def _exchange(self, request: UpstreamRequest, authorization: Authorization) -> Token:
        given = authorization.parameters.get("token_url")
        url = given or self.url(authorization)
        try:
            form = self.fields(authorization, url)
        except ValueError as fault:
            raise not_authorized(request.provider, f"its key {fault}") from None
        asked = UpstreamRequest(
            f"{request.provider}'s token endpoint",
            url,
            _HEADERS,
            urlencode(form).encode(),
            _TIMEOUT_S,
            allows_private=given is None or request.allows_private,
        )
        return await _token(self._upstream, asked)


def digest_of(authorization: Authorization) -> str:
    """What tells credentials apart without holding them."""
    parameters = sorted(authorization.parameters.items())
    said = msgspec.json.encode([authorization.secret, parameters])
    return sha256(said).hexdigest()


async def _token(upstream: Upstream, asked: UpstreamRequest) -> Token:
    """Whatever goes wrong, the provider itself has seen nothing: that is one kind of error."""
    try:
        answer = await upstream.send(asked)
        body = await _whole(answer)
    except UpstreamUnreachable:
        raise
    except UpstreamError as failure:
        raise UpstreamUnreachable(failure.message) from None
    if answer.status != _OK:
        raise not_authorized(asked.provider, f"it refused the credentials ({answer.status})")
    try:
        found = msgspec.json.decode(body, type=_Answer, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise not_authorized(asked.provider, "its answer holds no token") from None
    if not _TOKEN.fullmatch(found.access_token) or not found.expires_in > 0:
        raise not_authorized(asked.provider, "its answer holds no token")
    return Token(found.access_token, found.expires_in)


async def _whole(answer: UpstreamAnswer) -> bytes:
    body = bytearray()
    try:
        async for chunk in answer.chunks():
            body += chunk
            if len(body) > _ANSWER_BYTES_MAX:
                return b""
    finally:
        await answer.close()
    return bytes(body)
