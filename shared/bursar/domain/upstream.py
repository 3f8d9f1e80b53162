"""What is sent to a provider and who the providers are, without any HTTP library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Provider:
    """One company's API, as the catalogue describes it.

    Attributes:
        name: any-llm's name of the provider, the part of a model before the colon.
        base_url: what `/chat/completions` and `/embeddings` are appended to; None where the
            administrator must give it.
        auth_header: the header that carries the key, lower case.
        auth_prefix: what stands before the key in that header, `"Bearer "` or nothing.
        env_keys: environment variables that may hold the key, the first found wins.
        env_base: environment variable that overrides `base_url`.
        needs_key: False for self-hosted servers, which may run without one.
        endpoints: which of "chat" and "embeddings" the provider serves.
        output_limit_field: the request field that caps the answer, where the request has none.
        streams_usage: whether it understands `stream_options.include_usage`.
        host_path: what belongs behind a base URL that an administrator gave as a host only.
    """

    name: str
    base_url: str | None
    auth_header: str = "authorization"
    auth_prefix: str = "Bearer "
    env_keys: tuple[str, ...] = ()
    env_base: str | None = None
    needs_key: bool = True
    endpoints: frozenset[str] = frozenset({"chat"})
    output_limit_field: str = "max_tokens"
    streams_usage: bool = True
    host_path: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A provider as this deployment uses it: where to, and with which credentials.

    Attributes:
        provider: the catalogue's row.
        base_url: with no slash at the end.
        api_key: the provider key, or None; kept out of the representation.
        headers: extra headers an administrator configured, names in lower case.
        timeout_s: the longest wait for a next byte.
        provider_key_id: the key's in its project's vault; None for the deployment's own.
    """

    provider: Provider
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = 600.0
    provider_key_id: str | None = None


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """One POST to a provider.

    Attributes:
        provider: the provider's name, for error messages.
        url: absolute.
        headers: names in lower case; credentials included, so never represented.
        body: JSON bytes.
        idle_timeout_s: the longest wait for a connection's next byte.
    """

    provider: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    idle_timeout_s: float = 600.0
