"""OpenAI chat completions as a provider speaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.openai_answer import meter_answer
from bursar.dialects.openai_body import settled
from bursar.dialects.openai_chat import OUTPUT_LIMIT_FIELDS
from bursar.dialects.openai_stream import ChatStreamMeter
from bursar.dialects.passage import WireDialect
from bursar.dialects.sse import FrameSplitter

if TYPE_CHECKING:
    from bursar.dialects.metering import StreamMeter
    from bursar.dialects.request import Terms


def _stream_meter(withhold_usage: bool) -> StreamMeter:  # noqa: FBT001 (see WireDialect)
    return ChatStreamMeter(withhold_usage=withhold_usage)


def _settle_terms(document: dict[str, Any], terms: Terms, is_streamed: bool) -> dict[str, Any]:  # noqa: FBT001
    fields = {**document, "model": terms.model}
    if is_streamed:
        fields["stream"] = True
        if terms.streams_usage:
            fields["stream_options"] = {"include_usage": True}
    if terms.output_tokens is not None:
        declared = [name for name in OUTPUT_LIMIT_FIELDS if fields.get(name) is not None]
        fields |= dict.fromkeys(declared or [terms.limit_field], terms.output_tokens)
    return settled(fields, terms)


CHAT = WireDialect(
    meter=meter_answer,
    stream_meter=_stream_meter,
    splitter=FrameSplitter,
    settle_terms=_settle_terms,
)
