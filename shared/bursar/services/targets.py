"""Which provider serves a request, and what is sent to it."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.dialects.passages import passage_to
from bursar.dialects.request import Terms
from bursar.dialects.translator import Asked
from bursar.domain.errors import InvalidRequest, ModelNotFound
from bursar.domain.upstream import Authorization, Target, UpstreamRequest
from bursar.domain.upstream_urls import url_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bursar.dialects.passage import Passage
    from bursar.dialects.request import InferenceRequest
    from bursar.domain.models import ModelName
    from bursar.domain.upstream import Endpoint, Provider
    from bursar.services.quoting import Quote
    from bursar.services.tab import Tab

# Headers of the caller that mean something to a provider; everything else stays here.
_FORWARDED = ("traceparent", "tracestate")
_IDEMPOTENCY = "idempotency-key"
_VERSIONS = ("openai-beta", "anthropic-beta", "anthropic-version")
_USER_AGENT = "bursar"
# What every HTTP client can send, whatever the server before it took.
_SENDABLE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?|")


class Targets:
    """The providers that this deployment can reach.

    Args:
        by_provider: those it has been told when it started.
        refreshed: gives those that may change while it runs; they come first.
    """

    def __init__(
        self,
        by_provider: Mapping[str, Target],
        refreshed: Callable[[], Awaitable[Mapping[str, Target]]] | None = None,
    ) -> None:
        self._by_provider = by_provider
        self._refreshed = refreshed

    async def find(self, model: ModelName) -> Target:
        """The target of a model.

        Raises:
            ModelNotFound: no such provider here.
            StoreUnavailable: the providers' keys cannot be read.
        """
        by_provider = await self.configured()
        target = by_provider.get(model.provider)
        if target is None:
            known = ", ".join(sorted(by_provider)) or "none"
            raise ModelNotFound(
                f"Provider '{model.provider}' is not configured here (configured: {known})"
            )
        return target

    async def configured(self) -> Mapping[str, Target]:
        """All of them, as they are now.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        if self._refreshed is None:
            return self._by_provider
        return {**self._by_provider, **await self._refreshed()}


def passage_of(request: InferenceRequest, target: Target, model: str, created_s: int) -> Passage:
    """How a request travels to a target's model.

    Args:
        request: as its caller named it; answers repeat that name.
        target: of the model's provider.
        model: the provider's own name of it.
        created_s: when the request came, Unix time.

    Raises:
        InvalidRequest: the model serves neither its dialect nor one that it can be translated to.
    """
    provider = target.provider
    asked = Asked(str(request.model), request.wants_usage, created_s, model)
    passage = passage_to(request, provider.operations_of(model), asked)
    if passage is None:
        raise InvalidRequest(
            f"Provider '{provider.name}' has no {request.operation} for '{model}'", param="model"
        )
    return passage


def request_to(
    target: Target, passage: Passage, tab: Tab, headers: Mapping[str, str]
) -> UpstreamRequest:
    """What goes to the provider of a request that is paid for.

    Raises:
        Untranslatable: the provider's dialect cannot say what the caller asks for.
    """
    quote = tab.quote
    asked = Terms(
        tab.request.model.model,
        output_tokens=quote.imposed_output_tokens,
        tool_calls=quote.imposed_calls,
        output_tokens_max=quote.bound.output_tokens,
        service_tier=_tier_to_name(target.provider, quote),
    )
    terms = terms_of(target, target.provider.endpoints[passage.operation], asked)
    own = (
        {_IDEMPOTENCY: _only_theirs(headers[_IDEMPOTENCY], tab)} if _IDEMPOTENCY in headers else {}
    )
    request = outgoing(
        target, passage, tab.request, terms=terms, headers=headers, request_id=tab.request_id
    )
    return replace(request, headers={**request.headers, **own})


def _only_theirs(idempotency_key: str, tab: Tab) -> str:
    """An idempotency key that no other caller's can be equal to.

    To the provider all of them are one customer, who gets an earlier answer for the same key.
    """
    caller = tab.caller
    said = msgspec.json.encode([caller.user.user_id, caller.client_id, idempotency_key])
    return sha256(said).hexdigest()


def _tier_to_name(provider: Provider, quote: Quote) -> str | None:
    """The tier to be named in a request that names none and was quoted at ordinary rates."""
    ordinary, asked_for = provider.ordinary_tier, quote.bound.service_tier
    return ordinary if quote.is_limited and asked_for in (None, ordinary) else None


def terms_of(target: Target, endpoint: Endpoint, asked: Terms) -> Terms:
    """The terms of a request, with all that its provider and endpoint want of it."""
    provider = target.provider
    return replace(
        asked,
        limit_field=provider.output_limit_field,
        streams_usage=provider.streams_usage,
        renamed_fields=endpoint.renamed_fields,
        dropped_fields=endpoint.dropped_fields,
        added_fields=endpoint.added_fields,
    )


def outgoing(
    target: Target,
    passage: Passage,
    request: InferenceRequest,
    *,
    terms: Terms,
    headers: Mapping[str, str],
    request_id: str,
) -> UpstreamRequest:
    """The caller's body on these terms, the provider's key, a few of the caller's headers.

    Raises:
        InvalidRequest: a header of the caller's cannot be sent on.
        Untranslatable: the provider's dialect cannot say what the caller asks for.
    """
    provider = target.provider
    endpoint = provider.endpoints[passage.operation]
    sent = _forwarded(headers, _FORWARDED)
    sent |= {
        "content-type": passage.content_type,
        "accept": _stream_types(passage) if request.is_streamed else "*/*",
        "user-agent": _USER_AGENT,
        "x-client-request-id": request_id,
        **endpoint.headers,
        **_passed_versions(request, passage, headers),
        **target.headers,
    }
    authorization = None
    if provider.auth != "key":
        authorization = Authorization(provider.auth, target.api_key, target.parameters)
    elif target.api_key is not None:
        sent |= _key_header(provider, endpoint, target.api_key)
    return UpstreamRequest(
        provider.name,
        url_of(target, endpoint, terms.model, is_streamed=request.is_streamed),
        sent,
        passage.body(terms),
        target.timeout_s,
        authorization,
        target.allows_private,
    )


def _key_header(provider: Provider, endpoint: Endpoint, api_key: str) -> dict[str, str]:
    header, prefix = endpoint.auth_header, endpoint.auth_prefix
    header = provider.auth_header if header is None else header
    prefix = provider.auth_prefix if prefix is None else prefix
    return {header: prefix + api_key}


def _passed_versions(
    request: InferenceRequest, passage: Passage, headers: Mapping[str, str]
) -> dict[str, str]:
    """What the caller says of its dialect's version, for a provider of the same dialect."""
    if passage.operation != request.operation:
        return {}
    return _forwarded(headers, _VERSIONS)


def _forwarded(headers: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    found = {name: headers[name] for name in names if name in headers}
    for name, value in found.items():
        if not _SENDABLE.fullmatch(value):
            raise InvalidRequest(f"The header {name} may hold visible ASCII only")
    return found


def _stream_types(passage: Passage) -> str:
    return ", ".join([passage.stream_type, *(f"{begin}*" for begin in passage.other_streams)])
