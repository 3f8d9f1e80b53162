"""Which credential a request presents, whatever header its client puts it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

# In order of precedence. The any-llm SDK has used the first three names one after another, always
# beside `Authorization`, which therefore comes last of them.
BEARER_HEADERS = ("x-anyllm-key", "anyllm-key", "otari-key", "authorization")
RAW_HEADER = "x-api-key"
_SCHEME = "Bearer "


def presented_credential(headers: Mapping[str, str]) -> str:
    """Find the credential; the first header that is there decides, even when it is malformed.

    Args:
        headers: names in lower case.

    Raises:
        Unauthenticated: no such header, or one that lacks its `Bearer ` prefix.
    """
    for name in BEARER_HEADERS:
        value = headers.get(name)
        if value is not None:
            return _without_scheme(value)
    raw = headers.get(RAW_HEADER)
    if raw is None:
        raise Unauthenticated("Missing X-AnyLLM-Key or Authorization header")
    return raw


def _without_scheme(value: str) -> str:
    if not value.startswith(_SCHEME):
        raise Unauthenticated("Invalid header format. Expected 'Bearer <token>'")
    return value.removeprefix(_SCHEME)
