"""Reads `verbosity`: how much a model is to say.

OpenAI's models are trained on it, other dialects have no such field; agents send it with every
request. So the model is told, at the end of its instructions. No sentence is longer than the field
that asks for it, so that a request's bound covers what is added to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.dialects.chat_reading.blocks import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.chat_reading.fields import Fields

_FIELD: Final = "verbosity"
# Medium is what a model does that is told nothing.
_SAID: Final[Mapping[str, str]] = {
    "low": "Answer briefly.",
    "medium": "",
    "high": "Answer in detail.",
}


def read_verbosity(request: Fields) -> tuple[Text, ...]:
    """What is to be added to the model's instructions.

    Raises:
        Untranslatable: a verbosity that nobody knows.
        InvalidRequest: it is no string.
    """
    wanted = request.take(_FIELD, str) or "medium"
    if wanted not in _SAID:
        raise request.refusal(_FIELD, "must be low, medium or high")
    said = _SAID[wanted]
    return (Text(_FIELD, said),) if said else ()
