"""What is sent to a provider and who the providers are, without any HTTP library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider serves one operation.

    Attributes:
        path: appended to the base URL; `{model}` stands for the model's name, percent-encoded.
        stream_path: the same for streams, where they have a path of their own.
        base_url: in place of the provider's, where the operation has another.
        auth_header: in place of the provider's, lower case.
        auth_prefix: in place of the provider's.
        headers: sent with every request, names in lower case.
        renamed_fields: fields of the request that the provider knows by another name.
        dropped_fields: fields that the provider refuses and that change nothing in the answer.
        added_fields: fields that the provider wants beside the caller's.
    """

    path: str
    stream_path: str | None = None
    base_url: str | None = None
    auth_header: str | None = None
    auth_prefix: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    renamed_fields: Mapping[str, str] = field(default_factory=dict)
    dropped_fields: frozenset[str] = frozenset()
    added_fields: Mapping[str, Any] = field(default_factory=dict)


CHAT_ENDPOINT = Endpoint("/chat/completions")
EMBEDDINGS_ENDPOINT = Endpoint("/embeddings")


@dataclass(frozen=True, slots=True)
class ModelRule:
    """Which operations a provider serves for models whose names match a pattern.

    Attributes:
        pattern: `*` and `?` stand for anything.
        operations: in the order of preference.
    """

    pattern: str
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a provider's URLs or its authorization need beside the key, such as a region.

    Attributes:
        env: environment variables that may hold it, the first found wins.
        value: where nobody gives one; None where a URL with it needs one given.
    """

    env: tuple[str, ...] = ()
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """One company's API, as the catalogue describes it.

    Attributes:
        name: any-llm's name of the provider, the part of a model before the colon.
        base_url: what an endpoint's path is appended to; None where the administrator must give
            it. Names in braces are parameters of the target.
        auth: how requests are authorized: "key" puts the key into `auth_header`; any other name
            is a scheme of `upstream.authorization`.
        identity_auth: the scheme in place of "key" where an identity's id stands in the
            parameters, and its secret is given as the key.
        auth_header: the header that carries the key, lower case.
        auth_prefix: what stands before the key in that header, `"Bearer "` or nothing.
        env_keys: environment variables that may hold the key, the first found wins.
        env_base: environment variable that overrides `base_url`.
        needs_key: False for self-hosted servers, which may run without one, and for those that
            the process's own AWS role may call.
        parameters: by name.
        endpoints: by operation, what the provider serves: "chat", "responses", "messages",
            "count_tokens", "converse", "embeddings" and the operations of pass-through.
        model_rules: where not every model has every operation; the first match decides.
        output_limit_field: the field of a chat request that caps the answer, where it has none.
        streams_usage: whether it understands `stream_options.include_usage`.
        ordinary_tier: what a request calls ordinary service where a setting of the account decides
            for those that say nothing; None where no setting can make them dearer.
        host_path: what belongs behind a base URL that an administrator gave as a host only.
        former_paths: what clients write behind a host for an earlier API, or complete themselves;
            `host_path` takes its place.
        is_local: it stands in the administrator's own network by nature.
    """

    name: str
    base_url: str | None
    auth: str = "key"
    identity_auth: str | None = None
    auth_header: str = "authorization"
    auth_prefix: str = "Bearer "
    env_keys: tuple[str, ...] = ()
    env_base: str | None = None
    needs_key: bool = True
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    endpoints: Mapping[str, Endpoint] = field(default_factory=lambda: {"chat": CHAT_ENDPOINT})
    model_rules: tuple[ModelRule, ...] = ()
    output_limit_field: str = "max_tokens"
    streams_usage: bool = True
    ordinary_tier: str | None = None
    host_path: str = ""
    former_paths: tuple[str, ...] = ()
    is_local: bool = False

    def operations_of(self, model: str) -> tuple[str, ...]:
        """The operations that a model has, the preferred ones first."""
        for rule in self.model_rules:
            if fnmatchcase(model, rule.pattern):
                return rule.operations
        return tuple(self.endpoints)


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
        parameters: what an authorization scheme needs beside the key, such as a region.
        allows_private: it may stand in a private network.
    """

    provider: Provider
    base_url: str
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = 600.0
    provider_key_id: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    allows_private: bool = False


@dataclass(frozen=True, slots=True)
class Authorization:
    """How a request must be authorized right before it is sent.

    Attributes:
        scheme: a name of `upstream.authorization`.
        secret: the provider key, if the scheme takes one.
        parameters: the target's.
    """

    scheme: str
    secret: str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """One POST to a provider.

    Attributes:
        provider: the provider's name, for error messages.
        url: absolute.
        headers: names in lower case; credentials included, so never represented.
        body: what the content type says.
        idle_timeout_s: the longest wait for a connection's next byte.
        authorization: None where the headers hold all that is needed.
        allows_private: the address may be in a private network.
    """

    provider: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    idle_timeout_s: float = 600.0
    authorization: Authorization | None = None
    allows_private: bool = False
