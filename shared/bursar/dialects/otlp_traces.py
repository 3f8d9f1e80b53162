"""OTLP traces (opentelemetry-proto 1, HTTP with protobuf) as any-llm's SDKs 1.11 to 1.15 send them.

One span is one call of a provider's. The same requests carry the application's own spans, which are
passed over; of a call's span only what is listed here is read, so no text of a conversation is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONTENT_TYPE = "application/x-protobuf"
_SCOPE = "any-llm"
_SPAN = "llm.request"
_ERROR = 2


class NotTraces(Exception):
    """The bytes are no ExportTraceServiceRequest."""


@dataclass(frozen=True, slots=True)
class CallSpan:
    """What a span says of one call.

    Attributes:
        span_id: trace and span id in hex, unique among all calls.
        model: as it was asked for.
        input_tokens: None where the call was not counted.
        first_token_ms: None for an answer that came whole.
        started_ns: Unix time.
    """

    span_id: str
    provider: str
    model: str
    input_tokens: int | None
    output_tokens: int | None
    client_name: str | None
    first_token_ms: float | None
    started_ns: int
    ended_ns: int
    has_failed: bool
    is_cancelled: bool


def read_calls(body: bytes) -> list[CallSpan]:
    """The calls that a request tells of; spans of anything else are not counted.

    Raises:
        NotTraces: the body cannot be read.
    """
    # 30 ms and 4 MB that only whoever reports traces costs.
    from google.protobuf.message import DecodeError  # noqa: PLC0415
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: PLC0415
        ExportTraceServiceRequest,
    )

    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        raise NotTraces("not an OTLP trace request in protobuf") from None
    return [call for span in _spans(request) if (call := _call(span)) is not None]


def _spans(request: Any) -> Iterator[Any]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            if scope.scope.name == _SCOPE:
                yield from (span for span in scope.spans if span.name == _SPAN)


def _call(span: Any) -> CallSpan | None:
    known = _Attributes(span.attributes)
    provider, model = known.text("gen_ai.provider.name"), known.text("gen_ai.request.model")
    if not provider or not model or not span.trace_id or not span.span_id:
        return None
    return CallSpan(
        span_id=f"{span.trace_id.hex()}/{span.span_id.hex()}",
        provider=provider,
        model=model,
        input_tokens=known.count("gen_ai.usage.input_tokens"),
        output_tokens=known.count("gen_ai.usage.output_tokens"),
        client_name=known.text("anyllm.client_name"),
        first_token_ms=known.number("anyllm.performance.ttft_ms"),
        started_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        has_failed=span.status.code == _ERROR,
        is_cancelled=known.flag("anyllm.stream.cancelled"),
    )


class _Attributes:
    """A span's attributes, each in the type that it is read in."""

    def __init__(self, pairs: Iterable[Any]) -> None:
        self._values = {pair.key: pair.value for pair in pairs}

    def text(self, key: str) -> str | None:
        value = self._values.get(key)
        return value.string_value if value and value.HasField("string_value") else None

    def count(self, key: str) -> int | None:
        value = self._values.get(key)
        if value is None or not value.HasField("int_value") or value.int_value < 0:
            return None
        return int(value.int_value)

    def number(self, key: str) -> float | None:
        value = self._values.get(key)
        if value is None:
            return None
        if value.HasField("double_value"):
            return float(value.double_value)
        return float(value.int_value) if value.HasField("int_value") else None

    def flag(self, key: str) -> bool:
        value = self._values.get(key)
        return bool(value and value.HasField("bool_value") and value.bool_value)
