"""Metering an OpenAI-shaped answer that came in one piece."""

from __future__ import annotations

from typing import Any

import msgspec

from bursar.dialects.metering import UNREADABLE, MeteredAnswer
from bursar.dialects.openai_stream import generated_bytes
from bursar.dialects.openai_usage import read_usage, reported_cost


class _Choice(msgspec.Struct):
    message: dict[str, Any] | None = None


class _Answer(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    service_tier: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


def meter_answer(body: bytes) -> MeteredAnswer:
    try:
        answer = _ANSWER.decode(body)
    except UNREADABLE:
        return MeteredAnswer(None, len(body))
    generated = sum(generated_bytes(choice.message) for choice in answer.choices or ())
    return MeteredAnswer(
        read_usage(answer.usage),
        generated,
        reported_cost(answer.usage),
        answer.service_tier if isinstance(answer.service_tier, str) else None,
    )
