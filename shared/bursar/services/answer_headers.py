"""Headers that every answer of either plane carries."""

from __future__ import annotations

from typing import Final

_ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
}
_PRIVATE: Final = {**_ALWAYS, "cache-control": "private, no-store, no-cache"}
VARY: Final = "Authorization"
"""What an answer depends on, where it is private. Others, such as CORS, may add to it."""


def security_headers(path: str) -> dict[str, str]:
    """The headers for an answer to a path; only health checks may be kept by a cache."""
    return _PRIVATE if is_private(path) else _ALWAYS


def is_private(path: str) -> bool:
    """Tell whether answers to a path are for their caller alone."""
    return not path.startswith("/health")
