"""Anthropic's Messages as a provider speaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.late_metering import lately_metered
from bursar.dialects.messages_answer import meter_answer
from bursar.dialects.messages_limits import imposed_limit
from bursar.dialects.messages_stream import MessagesStreamMeter, is_word
from bursar.dialects.openai_body import settled
from bursar.dialects.passage import WireDialect
from bursar.dialects.sse import FrameSplitter

if TYPE_CHECKING:
    from bursar.dialects.metering import StreamMeter
    from bursar.dialects.request import Terms


def _stream_meter(_withhold_usage: bool) -> StreamMeter:  # noqa: FBT001 (see WireDialect)
    # Usage stands in events that every caller expects: there is nothing to withhold.
    return MessagesStreamMeter()


def _settle_terms(document: dict[str, Any], terms: Terms, is_streamed: bool) -> dict[str, Any]:  # noqa: FBT001
    fields = {**document, "model": terms.model}
    if is_streamed:
        fields["stream"] = True
    limit, declared = terms.output_tokens, document.get("max_tokens")
    if limit is None and declared is None:
        limit = terms.output_tokens_max
    if limit is not None:
        fields |= imposed_limit(limit, declared, document.get("thinking"))
    return settled(fields, terms)


MESSAGES = WireDialect(
    meter=meter_answer,
    stream_meter=_stream_meter,
    splitter=FrameSplitter,
    settle_terms=_settle_terms,
    reader=lately_metered(is_word),
)
