"""Metering an OpenAI-shaped answer that came in one piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from bursar.dialects.openai_stream import UNREADABLE, generated_bytes
from bursar.dialects.openai_usage import read_usage
from bursar.domain.usage import TokenUsage


class _Choice(msgspec.Struct):
    message: dict[str, Any] | None = None


class _Answer(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class MeteredAnswer:
    """What an answer says of itself.

    Attributes:
        usage: None where the provider reported none.
        output_bytes: UTF-8 length of what was generated; of the whole body where it is unreadable.
    """

    usage: TokenUsage | None
    output_bytes: int


def meter_answer(body: bytes) -> MeteredAnswer:
    try:
        answer = _ANSWER.decode(body)
    except UNREADABLE:
        return MeteredAnswer(None, len(body))
    generated = sum(generated_bytes(choice.message) for choice in answer.choices or ())
    return MeteredAnswer(read_usage(answer.usage), generated)
