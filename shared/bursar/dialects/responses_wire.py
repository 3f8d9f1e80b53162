"""The Responses API as a provider speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.late_metering import lately_metered
from bursar.dialects.openai_body import settled
from bursar.dialects.passage import WireDialect
from bursar.dialects.responses_answer import meter_answer
from bursar.dialects.responses_stream import ResponsesStreamMeter, is_word
from bursar.dialects.sse import FrameSplitter

if TYPE_CHECKING:
    from bursar.dialects.metering import StreamMeter
    from bursar.dialects.request import Terms


def _stream_meter(_withhold_usage: bool) -> StreamMeter:  # noqa: FBT001 (see WireDialect)
    """Usage is a part of the last event, which every caller gets."""
    return ResponsesStreamMeter()


def _settle_terms(document: dict[str, Any], terms: Terms, is_streamed: bool) -> dict[str, Any]:  # noqa: FBT001
    fields = {**document, "model": terms.model}
    if is_streamed:
        fields["stream"] = True
    if terms.output_tokens is not None:
        fields["max_output_tokens"] = terms.output_tokens
    return settled(fields, terms)


RESPONSES = WireDialect(
    meter=meter_answer,
    stream_meter=_stream_meter,
    splitter=FrameSplitter,
    settle_terms=_settle_terms,
    reader=lately_metered(is_word),
)
