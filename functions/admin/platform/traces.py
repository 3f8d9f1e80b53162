import zlib
from decimal import Decimal

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from bursar.dialects.otlp_traces import CONTENT_TYPE, CallSpan, NotTraces, read_calls
from bursar.domain.errors import InvalidRequest, RequestTooLarge
from bursar.domain.usage import Status, TokenUsage
from bursar.services.platform.reports import UsageReport
from functions.admin.exact_json import ExactRoute
from functions.admin.platform.dependencies import Office, ProjectToken
from functions.admin.platform.schemas.direct import UsageEvent
from functions.admin.schemas.problems import (
    BAD_REQUEST,
    INVALID,
    NOT_FOUND,
    TOO_LARGE,
    UNAUTHORIZED,
)

router = APIRouter(
    tags=["direct mode"], route_class=ExactRoute, responses={**UNAUTHORIZED, **INVALID}
)

ENDPOINT = "/v1/traces"
_INFLATED_BYTES_MAX = 4 * 1024 * 1024
# An SDK exports 512 spans at once.
_CALLS_MAX = 2048
_GZIP = 16 + zlib.MAX_WBITS
_SECONDS_MAX = 10**6
_TRACES = {
    "requestBody": {
        "required": True,
        "content": {CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/v1/traces",
    responses={**BAD_REQUEST, **NOT_FOUND, **TOO_LARGE},
    openapi_extra=_TRACES,
    response_class=Response,
)
async def report_traces(request: Request, project: ProjectToken, office: Office) -> Response:
    """Count the calls of an OTLP trace request, each once; other spans are passed over."""
    body = _inflated(await request.body(), request.headers.get("content-encoding", ""))
    try:
        calls = read_calls(body)
    except NotTraces as error:
        raise InvalidRequest(f"The body is {error}") from None
    reports = [report for call in calls if (report := _report(call)) is not None]
    if len(reports) > _CALLS_MAX:
        raise RequestTooLarge(f"At most {_CALLS_MAX} calls are counted at once")
    await office.reported_usage.enter_all(project.project, reports)
    # An ExportTraceServiceResponse without a partial success has no bytes.
    return Response(b"", media_type=CONTENT_TYPE)


def _report(call: CallSpan) -> UsageReport | None:
    """What is counted of a call: checked like an event's fields, passed over where it is not."""
    is_counted = call.input_tokens is not None or call.output_tokens is not None
    if not is_counted and not call.has_failed:
        return None
    data = {"input_tokens": call.input_tokens or 0, "output_tokens": call.output_tokens or 0}
    try:
        checked = UsageEvent.model_validate(
            {
                "id": f"span/{call.span_id}",
                "provider": call.provider,
                "model": call.model,
                "client_name": call.client_name,
                "data": data,
            }
        )
    except ValidationError:
        return None
    seconds = min(max(0, call.ended_ns - call.started_ns) / 10**9, _SECONDS_MAX)
    return UsageReport(
        event_id=checked.id,
        endpoint=ENDPOINT,
        provider=checked.provider,
        model=checked.model,
        status=_status(call),
        usage=TokenUsage(**data) if is_counted else None,
        client_name=checked.client_name,
        is_streamed=call.first_token_ms is not None,
        duration_ms=int(seconds * 1000),
        first_token_ms=_bounded_ms(call.first_token_ms),
        tokens_per_second=_rate(data["output_tokens"], seconds),
    )


def _status(call: CallSpan) -> Status:
    if call.has_failed:
        return Status.ERROR
    return Status.DISCONNECTED if call.is_cancelled else Status.SUCCESS


def _bounded_ms(value: float | None) -> int | None:
    return int(value) if value is not None and 0 <= value <= _SECONDS_MAX * 1000 else None


def _rate(tokens: int, seconds: float) -> Decimal | None:
    return round(Decimal(tokens) / Decimal(seconds), 2) if seconds > 0 else None


def _inflated(body: bytes, encoding: str) -> bytes:
    if encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise InvalidRequest(f"The content encoding '{encoding[:20]}' is not known; use gzip")
    inflate = zlib.decompressobj(_GZIP)
    try:
        whole = inflate.decompress(body, _INFLATED_BYTES_MAX)
    except zlib.error:
        raise InvalidRequest("The body is no gzip") from None
    if inflate.unconsumed_tail:
        raise RequestTooLarge("The traces are larger than 4 MiB")
    if not inflate.eof or inflate.unused_data:
        raise InvalidRequest("The body is no gzip, or not all of it")
    return whole
