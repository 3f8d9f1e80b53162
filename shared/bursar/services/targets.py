"""Which provider serves a request, and what is sent to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.errors import InvalidRequest, ModelNotFound
from bursar.domain.upstream import Target, UpstreamRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bursar.domain.models import ModelName
    from bursar.domain.upstream import Provider
    from bursar.services.quoting import InferenceRequest
    from bursar.services.tab import Tab

# Headers of the caller that mean something to a provider; everything else stays here.
_FORWARDED = ("openai-beta", "idempotency-key", "traceparent", "tracestate")
_USER_AGENT = "bursar"


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

    async def find(self, model: ModelName, operation: str) -> Target:
        """The target of a model.

        Raises:
            ModelNotFound: no such provider here.
            InvalidRequest: the provider does not serve this operation.
            StoreUnavailable: the providers' keys cannot be read.
        """
        by_provider = await self.configured()
        target = by_provider.get(model.provider)
        if target is None:
            known = ", ".join(sorted(by_provider)) or "none"
            raise ModelNotFound(
                f"Provider '{model.provider}' is not configured here (configured: {known})"
            )
        check_serves(target.provider, operation)
        return target

    async def configured(self) -> Mapping[str, Target]:
        """All of them, as they are now.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        if self._refreshed is None:
            return self._by_provider
        return {**self._by_provider, **await self._refreshed()}


def check_serves(provider: Provider, operation: str) -> None:
    """Raises InvalidRequest where a provider has no such operation."""
    if operation not in provider.endpoints:
        raise InvalidRequest(f"Provider '{provider.name}' has no {operation}", param="model")


def request_to(
    target: Target, request: InferenceRequest, tab: Tab, headers: Mapping[str, str]
) -> UpstreamRequest:
    """What goes to the provider: the caller's body, the provider's key, a few headers."""
    provider = target.provider
    sent = {name: headers[name] for name in _FORWARDED if name in headers}
    sent |= {
        "content-type": "application/json",
        "accept": "text/event-stream" if request.is_streamed else "application/json",
        "user-agent": _USER_AGENT,
        "x-client-request-id": tab.request_id,
        **target.headers,
    }
    if target.api_key is not None:
        sent[provider.auth_header] = provider.auth_prefix + target.api_key
    body = request.rewritten(
        output_tokens=tab.quote.imposed_output_tokens,
        limit_field=provider.output_limit_field,
        streams_usage=provider.streams_usage,
    )
    return UpstreamRequest(
        provider.name, target.base_url + request.path, sent, body, target.timeout_s
    )
