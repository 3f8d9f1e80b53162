"""Servers of the administrator's own: the rows that no catalogue has."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bursar.domain.errors import WrongSetting
from bursar.domain.upstream import Endpoint, Provider
from bursar.upstream.catalogue import ANTHROPIC_VERSION, STANDARD_ENDPOINTS
from bursar.upstream.provider_settings import DIALECTS, OUTPUT_LIMIT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bursar.upstream.provider_settings import ProviderSettings

MESSAGES_ENDPOINTS: Final[Mapping[str, Endpoint]] = {
    "messages": Endpoint("/v1/messages", headers=ANTHROPIC_VERSION),
    "count_tokens": Endpoint("/v1/messages/count_tokens", headers=ANTHROPIC_VERSION),
}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")
# What OpenAI-compatible servers usually have. Responses and Messages are not among it: where a
# server lacks them they are translated, which its own 404 would prevent.
_OPENAI: Final = (
    "chat",
    "embeddings",
    "images",
    "image_edits",
    "speech",
    "transcriptions",
    "translations",
    "moderations",
    "rerank",
)


def own_server(name: str, settings: ProviderSettings, known: Mapping[str, Provider]) -> Provider:
    """A row for a server that only this deployment knows.

    Raises:
        WrongSetting: no base URL, or a name, a dialect or an operation that cannot be.
    """
    if not settings.api_base:
        raise WrongSetting(_no_base(name, known))
    if not _NAME.fullmatch(name):
        raise WrongSetting(
            f"providers.{name}: a provider's name is made of a-z, 0-9, '-', '_' and '.'."
        )
    dialect = settings.dialect or "openai"
    if dialect not in DIALECTS:
        raise WrongSetting(f"providers.{name}.dialect: must be {' or '.join(DIALECTS)}.")
    limit_field = settings.output_limit_field or _usual_limit_field(settings.api_base, known)
    if limit_field not in OUTPUT_LIMIT_FIELDS:
        raise WrongSetting(
            f"providers.{name}.output_limit_field: must be {' or '.join(OUTPUT_LIMIT_FIELDS)}."
        )
    endpoints = _endpoints(name, dialect, settings.operations)
    if "chat" in endpoints:
        endpoints = {**endpoints, "chat": _chat(limit_field)}
    if dialect == "anthropic":
        return Provider(
            name,
            None,
            auth_header="x-api-key",
            auth_prefix="",
            needs_key=False,
            endpoints=endpoints,
        )
    return Provider(
        name, None, needs_key=False, endpoints=endpoints, output_limit_field=limit_field
    )


def _endpoints(name: str, dialect: str, operations: tuple[str, ...]) -> Mapping[str, Endpoint]:
    usual = MESSAGES_ENDPOINTS if dialect == "anthropic" else _standard(_OPENAI)
    if not operations:
        return usual
    possible = {**STANDARD_ENDPOINTS, **usual}
    unknown = sorted(set(operations) - set(possible))
    if unknown:
        raise WrongSetting(
            f"providers.{name}.operations: {', '.join(unknown)} is none; known are "
            f"{', '.join(possible)}."
        )
    return {operation: possible[operation] for operation in operations}


def _usual_limit_field(api_base: str, known: Mapping[str, Provider]) -> str:
    """What the provider at this address knows: it may be another account of a known one."""
    try:
        host = urlsplit(api_base.strip()).hostname or ""
    except ValueError:  # which is said where the address is read
        return OUTPUT_LIMIT_FIELDS[0]
    for provider in known.values():
        theirs = urlsplit(provider.base_url or "").hostname or ""
        # "{resource}.example" is a host of anybody's there.
        suffix = "." + theirs.rpartition("}.")[2]
        if "." in theirs and f".{host}".endswith(suffix):
            return provider.output_limit_field
    return OUTPUT_LIMIT_FIELDS[0]


def _chat(limit_field: str) -> Endpoint:
    """Many servers pass over a limit whose name they do not know, and answer without any."""
    others = [name for name in OUTPUT_LIMIT_FIELDS if name != limit_field]
    return replace(STANDARD_ENDPOINTS["chat"], renamed_fields=dict.fromkeys(others, limit_field))


def _standard(operations: Iterable[str]) -> Mapping[str, Endpoint]:
    return {operation: STANDARD_ENDPOINTS[operation] for operation in operations}


def _no_base(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    near = get_close_matches(name, list(known), n=3)
    meant = f"; did you mean {' or '.join(near)}?" if near else "."
    return (
        f"providers.{name}: no such provider{meant} For a server of your own that speaks "
        f"OpenAI's or Anthropic's dialect, set providers.{name}.api_base."
    )
