"""Model names as callers write them: `provider:model`, or the older `provider/model`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

from bursar.domain.errors import Forbidden, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

_DELIMITER = re.compile("[:/]")


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model of a provider.

    Attributes:
        provider: the provider's name, lower case.
        model: the name the provider knows it by, untouched.
    """

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


@lru_cache(maxsize=1024)
def parse_model(text: str) -> ModelName:
    """Split at the first delimiter, whichever it is.

    Raises:
        InvalidRequest: no provider, or no model.
    """
    found = _DELIMITER.search(text)
    if found is None or found.start() == 0 or found.end() == len(text):
        raise InvalidRequest(
            f"Model '{text}' must name its provider, as in 'openai:gpt-4o-mini'", param="model"
        )
    return ModelName(text[: found.start()].lower(), text[found.end() :])


def check_allowed(name: ModelName, patterns: Iterable[str] | None, holder: str) -> None:
    """Hold a model against an allow-list, in which `*` and `?` stand for anything.

    Raises:
        Forbidden: the list exists and no pattern matches.
    """
    if patterns is None:
        return
    if not any(_matches(pattern, str(name)) for pattern in patterns):
        raise Forbidden(f"{holder} may not use model '{name}'")


@lru_cache(maxsize=1024)
def _matches(pattern: str, name: str) -> bool:
    canonical = _DELIMITER.sub(":", pattern, count=1)
    return re.fullmatch(translate(canonical), name) is not None
