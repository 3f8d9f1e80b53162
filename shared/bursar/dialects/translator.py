"""What carries a request into another dialect and its answer back.

A translator is made for one request. It works on decoded JSON and never drops a field in silence:
what the other dialect cannot say is refused before anything is sent. Usage is metered from the
provider's own answer, so a translator's numbers are for the caller only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable


class Untranslatable(InvalidRequest):
    """The field has no counterpart in the dialect of the model's provider."""

    code = "untranslatable"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer has to repeat of its request.

    Attributes:
        model: as the caller wrote it.
        wants_usage: the caller asked for usage in a chat stream.
        created_s: when the request came, Unix time.
        upstream_model: the provider's own name of it, where that is not the end of `model`.
    """

    model: str
    wants_usage: bool
    created_s: int
    upstream_model: str = ""


class StreamTranslator(Protocol):
    def event(self, event: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """The caller's events for one of the provider's."""
        ...

    def end(self) -> Iterable[dict[str, Any]]:
        """What closes the caller's stream once the provider's has ended as it should."""
        ...


class Translator(Protocol):
    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        """The provider's request for the caller's.

        Raises:
            Untranslatable: `param` names the field.
        """
        ...

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        """The caller's answer for the provider's."""
        ...

    def stream(self) -> StreamTranslator: ...
