"""Bedrock's Converse as a provider speaks it.

The model, and whether the answer is streamed, are in the URL and not in the body. Source of the
format: AWS, Amazon Bedrock API Reference, Converse and ConverseStream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.converse_eventstream import MessageSplitter
from bursar.dialects.converse_meter import ConverseStreamMeter, meter_converse
from bursar.dialects.openai_body import settled
from bursar.dialects.passage import WireDialect

if TYPE_CHECKING:
    from bursar.dialects.metering import StreamMeter
    from bursar.dialects.request import Terms


def _stream_meter(_withhold_usage: bool) -> StreamMeter:  # noqa: FBT001 (see WireDialect)
    return ConverseStreamMeter()


def _settle_terms(document: dict[str, Any], terms: Terms, _is_streamed: bool) -> dict[str, Any]:  # noqa: FBT001
    fields = {name: value for name, value in document.items() if name not in {"model", "stream"}}
    if terms.output_tokens is not None:
        limits = {**fields.get("inferenceConfig", {}), "maxTokens": terms.output_tokens}
        fields["inferenceConfig"] = limits
    return settled(fields, terms)


CONVERSE = WireDialect(
    meter=meter_converse,
    stream_meter=_stream_meter,
    splitter=MessageSplitter,
    settle_terms=_settle_terms,
    stream_type="application/vnd.amazon.eventstream",
)
