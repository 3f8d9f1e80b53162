"""Ids of calls as another provider takes them.

A conversation may have begun with a provider whose ids are longer, or of other characters, than the
next one's rules allow (`functions.look:0`). Ids only tie results to calls within one request, so
one that does not fit is replaced, in both places by the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

_DIGEST_LENGTH: Final = 12


@dataclass(frozen=True, slots=True)
class IdRule:
    """What ids a provider takes.

    Attributes:
        characters: that may be in one, as they stand between the brackets of a pattern.
        length_max: of one.
    """

    characters: str
    length_max: int

    def fitted(self, identifier: str) -> str:
        """The id, or one that stands for it and for no other."""
        if re.fullmatch(f"[{self.characters}]{{1,{self.length_max}}}", identifier):
            return identifier
        digest = sha256(identifier.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
        readable = re.sub(f"[^{self.characters}]+", "_", identifier)
        return f"{readable[: self.length_max - _DIGEST_LENGTH - 1]}_{digest}"
