"""OpenAI chat completions as a provider speaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.chat_plain import plain
from bursar.dialects.late_metering import lately_metered
from bursar.dialects.openai_answer import meter_answer
from bursar.dialects.openai_body import settled
from bursar.dialects.openai_stream import ChatStreamMeter, is_word
from bursar.dialects.passage import WireDialect
from bursar.dialects.sse import FrameSplitter

if TYPE_CHECKING:
    from bursar.dialects.metering import StreamMeter
    from bursar.dialects.request import Terms


def _stream_meter(withhold_usage: bool) -> StreamMeter:  # noqa: FBT001 (see WireDialect)
    return ChatStreamMeter(withhold_usage=withhold_usage)


def _settle_terms(document: dict[str, Any], terms: Terms, is_streamed: bool) -> dict[str, Any]:  # noqa: FBT001
    fields = {**plain(document, terms.limit_field), "model": terms.model}
    if is_streamed:
        fields["stream"] = True
        if terms.streams_usage:
            fields["stream_options"] = {"include_usage": True}
    if terms.output_tokens is not None:
        fields[terms.limit_field] = terms.output_tokens
    if terms.service_tier is not None:
        fields.setdefault("service_tier", terms.service_tier)
    return settled(fields, terms)


CHAT = WireDialect(
    meter=meter_answer,
    stream_meter=_stream_meter,
    splitter=FrameSplitter,
    settle_terms=_settle_terms,
    reader=lately_metered(is_word),
)
