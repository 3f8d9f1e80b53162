"""Metering a Responses answer that came in one piece, whatever its status."""

from __future__ import annotations

from typing import Any

import msgspec

from bursar.dialects.metering import UNREADABLE, MeteredAnswer
from bursar.dialects.openai_usage import reported_cost
from bursar.dialects.responses_usage import read_usage, searches_of, with_searches

# What the provider adds to an item, and what it was given: neither was generated.
_NOT_GENERATED = frozenset(
    {
        "annotations",
        "call_id",
        "content_filters",
        "id",
        "logprobs",
        "output",
        "results",
        "role",
        "server_label",
        "status",
        "tools",
        "type",
    }
)


class _Answer(msgspec.Struct):
    output: Any = None
    usage: Any = None
    tool_usage: Any = None
    service_tier: Any = None


_ANSWER = msgspec.json.Decoder(_Answer)


def meter_answer(body: bytes) -> MeteredAnswer:
    try:
        answer = _ANSWER.decode(body)
    except UNREADABLE:
        return MeteredAnswer(None, len(body))
    output = answer.output if isinstance(answer.output, list) else []
    return MeteredAnswer(
        with_searches(read_usage(answer.usage), searches_of(output, answer.tool_usage)),
        generated_bytes(output),
        reported_cost(answer.usage),
        answer.service_tier if isinstance(answer.service_tier, str) else None,
    )


def generated_bytes(value: Any) -> int:
    """UTF-8 length of what was generated in an output item, or in a list of them."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
    if isinstance(value, list):
        return sum(map(generated_bytes, value))
    if isinstance(value, dict):
        return sum(
            generated_bytes(part) for name, part in value.items() if name not in _NOT_GENERATED
        )
    return 0 if value is None else len(msgspec.json.encode(value))
