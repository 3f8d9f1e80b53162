"""Checking allow-lists before they are kept: an entry that can match nothing is a mistake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bursar.domain.errors import Unprocessable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.domain.aliases import Alias
    from bursar.ports import Collection

_COVERS_MODELS: Final = re.compile("[:/*?]")


async def check_allow_list(aliases: Collection[Alias], patterns: Iterable[str] | None) -> None:
    """Hold entries that are plain words against the aliases that there are.

    Raises:
        Unprocessable: one is none, so it allows nothing.
    """
    for pattern in patterns or ():
        if not _COVERS_MODELS.search(pattern) and await aliases.get(pattern) is None:
            raise Unprocessable(
                f"'{pattern}' is no alias, and a pattern of models covers the provider too, "
                "as in 'openai:gpt-4o*' or '*:gpt-4o*'",
                param="allowed_models",
            )
