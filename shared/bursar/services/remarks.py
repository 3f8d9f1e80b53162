"""What usage records and metrics may say about a failure: short, and without the provider key."""

from __future__ import annotations

from bursar.domain.errors import BursarError, UpstreamError

_CHARS_MAX = 500


def quoted(text: str, secret: str | None) -> str:
    """Quote a provider, who may quote the key it was given."""
    shown = text.replace(secret, "[provider key]") if secret else text
    return shown[:_CHARS_MAX]


def named(error: BaseException) -> str:
    """Name a failure. Only errors of our own tree are known to hold no secret."""
    kind = type(error).__name__
    return f"{kind}: {error.message}"[:_CHARS_MAX] if isinstance(error, BursarError) else kind


def failure_of(error: BaseException | None) -> str | None:
    """The word by which metrics count it, if the failure is a provider's."""
    return error.code if isinstance(error, UpstreamError) else None


def failure_by(status: int) -> str:
    """The word for a provider's answer that is none: its hundred, and rate limits apart."""
    return "upstream_429" if status == 429 else f"upstream_{status // 100}xx"
