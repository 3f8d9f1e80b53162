"""Where a request has been, and why it is where it is: for its answer's headers and the books."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

_SHOWN_MAX: Final = 6
_CHARS_MAX: Final = 200
# What a header's value may hold beside letters and digits, without the separators used here.
_SAFE: Final = ":/.-_@~+"


@dataclass(frozen=True, slots=True)
class Miss:
    """A target that did not serve the request.

    Attributes:
        model: `provider:model`.
        because: in one word, as errors and metrics name it.
        was_sent: the provider was asked, or could not be reached.
    """

    model: str
    because: str
    was_sent: bool = False

    def __str__(self) -> str:
        return f"{self.model} {self.because}"


@dataclass(slots=True)
class Trail:
    """One request's way.

    Attributes:
        alias: what its caller asked for, if that is an alias.
        choice: why the first target is the first: `direct`, `primary` or `weighted`.
        attempts: how often a provider was asked.
        cheaper: the model that was put first because a budget runs low.
    """

    alias: str | None = None
    choice: str = "direct"
    misses: list[Miss] = field(default_factory=list)
    attempts: int = 0
    cheaper: str | None = None

    def miss(self, model: str, because: str, *, was_sent: bool = False) -> None:
        self.misses.append(Miss(model, because, was_sent))

    @property
    def failures(self) -> tuple[str, ...]:
        """The attempts that failed."""
        return tuple(str(miss) for miss in self.misses if miss.was_sent)

    def route(self, model: str) -> str:
        """Why a model serves, in printable ASCII: `fallback;after=openai:o3;because=upstream_429`.

        It begins with `direct`, `primary`, `weighted`, `retry`, `fallback` or `tier-down`.
        """
        misses = [miss for miss in self.misses if miss.was_sent or miss.model != model]
        parts = [self._word(model, misses)]
        for miss in list(dict.fromkeys(misses))[:_SHOWN_MAX]:
            if miss.model != model:
                parts.append(f"after={printable(miss.model)}")
            parts.append(f"because={miss.because}")
        return ";".join(parts)

    def remarks(self, model: str) -> dict[str, Any]:
        """What the books say of it, by the fields of `UsageRecord`."""
        if self.choice == "direct" and not self.misses:
            return {}
        return {"alias": self.alias, "attempts": self.attempts, "route": self.route(model)}

    def _word(self, model: str, misses: list[Miss]) -> str:
        if model == self.cheaper:
            return "tier-down;because=budget_low"
        if any(miss.model != model for miss in misses):
            return "fallback"
        return "retry" if misses else self.choice


def printable(model: str) -> str:
    """A model's name as a header may hold it: percent-encoded, and not too long."""
    return quote(model[:_CHARS_MAX], safe=_SAFE, errors="replace")
