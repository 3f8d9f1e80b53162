"""What an administrator may say about a provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# Parameters that an administrator may give by name, beside the key.
PARAMETERS: Final = (
    "account",
    "client_id",
    "credentials_file",
    "location",
    "project",
    "region",
    "resource",
    "tenant_id",
    "token_url",
    "workspace",
)
DIALECTS: Final = ("openai", "anthropic")
# What vendors call the limit of a chat request's output; most know the first.
OUTPUT_LIMIT_FIELDS: Final = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What an administrator wrote under `providers.<name>`.

    Attributes:
        api_key: None takes it from the provider's environment variables. For an identity of Azure
            it is the client's secret, for Vertex AI a service account's key file as it stands.
        api_base: None takes it from the provider's environment variable or the catalogue.
        messages_base: where the provider answers at `/v1/messages`, if not where its row says.
        headers: `client_args.custom_headers` or `.default_headers`.
        timeout_s: `client_args.timeout`, the longest wait for a next byte.
        dialect: of a server of the administrator's own, one of `DIALECTS`.
        operations: of such a server, where they are not the dialect's usual ones.
        output_limit_field: the one of `OUTPUT_LIMIT_FIELDS` that such a server knows; None is the
            first. A limit under the other name is sent under this one.
        auth_header: the header that carries the key, if not the provider's usual one.
        auth_prefix: what stands before the key in that header.
        parameters: values for `PARAMETERS`; None takes them from environment and catalogue.
        allow_private_network: its address may be in a private network.
    """

    api_key: str | None = field(default=None, repr=False)
    api_base: str | None = None
    messages_base: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float | None = None
    dialect: str | None = None
    operations: tuple[str, ...] = ()
    output_limit_field: str | None = None
    auth_header: str | None = None
    auth_prefix: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    allow_private_network: bool = False
