"""Errors in the shape that a dialect's SDKs understand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.errors import BursarError


class ErrorShape(Protocol):
    def status_of(self, error: BursarError) -> int: ...

    def headers_of(self, error: BursarError) -> Mapping[str, str]:
        """Headers that tell an SDK whether, and when, to try again."""
        ...

    def body_of(self, error: BursarError) -> dict[str, Any]:
        """The JSON body."""
        ...

    def stream_failure(self, code: str) -> bytes:
        """The frames that end a stream which cannot go on; nothing where it has no words."""
        ...

    def refusal(self, status: int, body: bytes) -> bytes:
        """A provider's error body of another dialect in this one's shape."""
        ...
