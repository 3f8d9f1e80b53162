"""The operations that only pass through, where a provider has them: names, paths and modules.

Nothing is imported here but names: a process loads what its requests need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class PassedOperation:
    """One operation; `parser` and `wire` are `module:attribute` in `bursar.dialects`.

    Attributes:
        operation: the name by which providers list their endpoints.
        parser: takes the body and its content type.
        wire: the `WireDialect` of its answers.
    """

    operation: str
    parser: str
    wire: str


_RERANK: Final = PassedOperation("rerank", "passed.rerank:parse_rerank", "passed.wires:RERANK")
PASSED_OPERATIONS: Final[Mapping[str, PassedOperation]] = {
    "/v1/images/generations": PassedOperation(
        "images", "passed.images:parse_generations", "passed.wires:IMAGES"
    ),
    "/v1/images/edits": PassedOperation(
        "image_edits", "passed.images:parse_edits", "passed.wires:IMAGES"
    ),
    "/v1/audio/speech": PassedOperation(
        "speech", "passed.speech:parse_speech", "passed.wires:SPEECH"
    ),
    "/v1/audio/transcriptions": PassedOperation(
        "transcriptions", "passed.transcriptions:parse_transcription", "passed.wires:TRANSCRIPTS"
    ),
    "/v1/audio/translations": PassedOperation(
        "translations", "passed.transcriptions:parse_translation", "passed.wires:TRANSCRIPTS"
    ),
    "/v1/moderations": PassedOperation(
        "moderations", "passed.moderations:parse_moderation", "passed.wires:COUNTED"
    ),
    "/v1/rerank": _RERANK,
    "/v2/rerank": _RERANK,  # where Cohere's SDK calls it
}
