"""Embeddings on Bedrock as the models speak them.

Titan counts its input in the answer. Cohere and Nova do in the header
`x-amzn-bedrock-input-token-count` only, so that an answer without it is charged by its bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bursar.dialects.metering import UNREADABLE, MeteredAnswer
from bursar.dialects.openai_body import settled
from bursar.dialects.openai_usage import read_usage
from bursar.dialects.passage import WireDialect
from bursar.dialects.passed.wires import COUNTED
from bursar.dialects.sse import FrameSplitter

if TYPE_CHECKING:
    from bursar.dialects.request import Terms


class _Answer(msgspec.Struct):
    input_text_tokens: Any = msgspec.field(default=None, name="inputTextTokenCount")
    input_tokens: Any = msgspec.field(default=None, name="inputTokenCount")


_ANSWER = msgspec.json.Decoder(_Answer)


def _meter(body: bytes) -> MeteredAnswer:
    try:
        answer = _ANSWER.decode(body)
    except UNREADABLE:
        return MeteredAnswer(None, 0)
    tokens = answer.input_text_tokens or answer.input_tokens
    return MeteredAnswer(read_usage({"prompt_tokens": tokens, "completion_tokens": 0}), 0)


def _settle_terms(document: dict[str, Any], terms: Terms, _: bool) -> dict[str, Any]:  # noqa: FBT001
    return settled(document, terms)


# Nothing is streamed here either.
BEDROCK_EMBEDDINGS = WireDialect(_meter, COUNTED.stream_meter, FrameSplitter, _settle_terms)
