"""Metering an answer of Anthropic's Messages that came in one piece."""

from __future__ import annotations

from typing import Any

import msgspec

from bursar.dialects.messages_stream import generated_bytes
from bursar.dialects.messages_usage import read_tier, read_usage
from bursar.dialects.metering import UNREADABLE, MeteredAnswer
from bursar.dialects.openai_usage import reported_cost


class _Answer(msgspec.Struct):
    content: list[Any] | None = None
    usage: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


def meter_answer(body: bytes) -> MeteredAnswer:
    try:
        answer = _ANSWER.decode(body)
    except UNREADABLE:
        return MeteredAnswer(None, len(body))
    return MeteredAnswer(
        read_usage(answer.usage),
        sum(map(generated_bytes, answer.content or ())),
        reported_cost(answer.usage),
        read_tier(answer.usage),
    )
