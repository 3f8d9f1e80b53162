"""Trace requests as any-llm's SDKs export them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

STARTED_NS = 1_768_046_400_000_000_000
COUNTED = {"gen_ai.usage.input_tokens": 11, "gen_ai.usage.output_tokens": 7}


@dataclass
class Span:
    """One span; `attributes` come beside those that name provider and model."""

    attributes: dict[str, Any] = field(default_factory=lambda: dict(COUNTED))
    name: str = "llm.request"
    scope: str = "any-llm"
    provider: str = "openai"
    model: str = "gpt-4o-mini"
    seconds: float = 2.0
    has_failed: bool = False
    trace_id: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    span_id: bytes = field(default_factory=lambda: uuid.uuid4().bytes[:8])


def export(*spans: Span) -> bytes:
    """A request of these spans, each in a scope of its own."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    for span in spans:
        scope = resource.scope_spans.add()
        scope.scope.name = span.scope
        _fill(scope.spans.add(), span)
    written: bytes = request.SerializeToString()
    return written


def _fill(message: Any, span: Span) -> None:
    message.name = span.name
    message.trace_id, message.span_id = span.trace_id, span.span_id
    message.start_time_unix_nano = STARTED_NS
    message.end_time_unix_nano = STARTED_NS + int(span.seconds * 10**9)
    if span.has_failed:
        message.status.code = 2
    named = {"gen_ai.provider.name": span.provider, "gen_ai.request.model": span.model}
    for key, value in (named | span.attributes).items():
        attribute = message.attributes.add()
        attribute.key = key
        match value:
            case bool():
                attribute.value.bool_value = value
            case int():
                attribute.value.int_value = value
            case float():
                attribute.value.double_value = value
            case str():
                attribute.value.string_value = value
