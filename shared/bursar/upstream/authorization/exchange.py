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
TIMEOUT_S: Final = 15.0
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_ANSWER_BYTES_MAX: Final = 64 * 1024
UNGRANTED: Final = "its answer holds no token"
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
        asked = form_to(url, form, request, is_own=given is not None)
        return await token_from(self._upstream, asked)


def form_to(
    url: str, form: Mapping[str, str], request: UpstreamRequest, *, is_own: bool
) -> UpstreamRequest:
    """A form for the token endpoint of a request's provider.

    Args:
        is_own: the administrator chose the endpoint, so it is guarded as the provider is.
    """
    return UpstreamRequest(
        f"{request.provider}'s token endpoint",
        url,
        _HEADERS,
        urlencode(form).encode(),
        TIMEOUT_S,
        allows_private=request.allows_private or not is_own,
    )


def digest_of(authorization: Authorization) -> str:
    """What tells credentials apart without holding them."""
    parameters = sorted(authorization.parameters.items())
    said = msgspec.json.encode([authorization.secret, parameters])
    return sha256(said).hexdigest()


async def token_from(upstream: Upstream, asked: UpstreamRequest) -> Token:
    """What a token endpoint answers.

    Raises:
        UpstreamUnreachable: no token, whatever the reason.
    """
    body = await answer_of(upstream, asked)
    try:
        found = msgspec.json.decode(body, type=_Answer, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise not_authorized(asked.provider, UNGRANTED) from None
    return checked(asked.provider, Token(found.access_token, found.expires_in))


def checked(provider: str, token: Token) -> Token:
    """A token that can stand in a header.

    Raises:
        UpstreamUnreachable: it is none.
    """
    if not _TOKEN.fullmatch(token.text) or not token.lifetime_s > 0:
        raise not_authorized(provider, UNGRANTED)
    return token


async def answer_of(upstream: Upstream, asked: UpstreamRequest) -> bytes:
    """The body of a token endpoint's answer, if it grants what was asked for.

    Raises:
        UpstreamUnreachable: whatever went wrong, the provider itself has seen nothing.
    """
    try:
        answer = await upstream.send(asked)
        body = await _whole(answer)
    except UpstreamUnreachable:
        raise
    except UpstreamError as failure:
        raise UpstreamUnreachable(failure.message) from None
    if answer.status != _OK:
        raise not_authorized(asked.provider, f"it refused the credentials ({answer.status})")
    return body


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
