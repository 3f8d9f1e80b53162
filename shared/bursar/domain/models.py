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
    """A model of a provider, or what an alias is called.

    Attributes:
        provider: the provider's name, lower case; empty where a caller named none.
        model: the name the provider knows it by, untouched.
    """

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}" if self.provider else self.model


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


@lru_cache(maxsize=1024)
def requested_model(text: str) -> ModelName:
    """Read what a caller asks for, which may be a plain word: the name of an alias.

    Raises:
        InvalidRequest: nothing before the delimiter, or after it.
    """
    return ModelName("", text) if text and not _DELIMITER.search(text) else parse_model(text)


def check_allowed(name: ModelName, patterns: Iterable[str] | None, holder: str) -> None:
    """Hold a model against an allow-list, in which `*` and `?` stand for anything.

    Raises:
        Forbidden: the list exists and no pattern matches.
    """
    if not is_allowed(name, patterns):
        raise Forbidden(f"{holder} may not use model '{name}'")


def is_allowed(
    name: ModelName, patterns: Iterable[str] | None, alias: ModelName | None = None
) -> bool:
    """Whether an allow-list lets a model be used, asked for by its name or by an alias.

    An alias that the list names letter for letter brings its models along. A pattern with `*` or
    `?` speaks of models only: who wrote it may not have thought of aliases.
    """
    if patterns is None:
        return True
    return any(
        _matches(pattern, str(name)) or (alias is not None and _canonical(pattern) == str(alias))
        for pattern in patterns
    )


@lru_cache(maxsize=1024)
def _matches(pattern: str, name: str) -> bool:
    return re.fullmatch(translate(_canonical(pattern)), name) is not None


def _canonical(pattern: str) -> str:
    return _DELIMITER.sub(":", pattern, count=1)
