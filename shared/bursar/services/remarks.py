"""What a usage record may say about a failure: short, and without the provider key."""

from __future__ import annotations

from bursar.domain.errors import BursarError

_CHARS_MAX = 500


def quoted(text: str, secret: str | None) -> str:
    """Quote a provider, who may quote the key it was given."""
    shown = text.replace(secret, "[provider key]") if secret else text
    return shown[:_CHARS_MAX]


def named(error: BaseException) -> str:
    """Name a failure. Only errors of our own tree are known to hold no secret."""
    kind = type(error).__name__
    return f"{kind}: {error.message}"[:_CHARS_MAX] if isinstance(error, BursarError) else kind
