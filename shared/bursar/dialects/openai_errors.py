"""Errors as OpenAI's SDKs and the seed gateway's clients both understand them.

The SDKs choose an exception by the status and read `error.message`, `type`, `param` and `code`;
the seed's clients read `detail`. Every error carries both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.dialects.openai_stream import DONE_FRAME
from bursar.dialects.sse import frame_of
from bursar.domain import errors

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class _Shape:
    status: int
    type: str
    should_retry: bool | None = None


# The first class in an error's method resolution order that is listed here decides.
_TABLE: dict[type[errors.BursarError], _Shape] = {
    errors.Unauthenticated: _Shape(401, "authentication_error"),
    errors.Unpriceable: _Shape(402, "billing_error"),
    errors.BudgetExceeded: _Shape(403, "insufficient_quota"),
    errors.Forbidden: _Shape(403, "permission_error"),
    errors.NotFound: _Shape(404, "not_found_error"),
    errors.Conflict: _Shape(409, "invalid_request_error", should_retry=False),
    errors.RequestTooLarge: _Shape(413, "invalid_request_error"),
    errors.Unprocessable: _Shape(422, "invalid_request_error"),
    errors.InvalidRequest: _Shape(400, "invalid_request_error"),
    errors.RateLimited: _Shape(429, "rate_limit_error"),
    errors.NotConfigured: _Shape(503, "server_error", should_retry=False),
    errors.StoreUnavailable: _Shape(503, "server_error", should_retry=True),
    errors.UpstreamUnreachable: _Shape(502, "upstream_error"),
    # The provider may have billed the first try: a silent retry would bill it twice.
    errors.UpstreamTimeout: _Shape(504, "upstream_error", should_retry=False),
    errors.UpstreamBroken: _Shape(502, "upstream_error", should_retry=False),
    errors.UpstreamError: _Shape(502, "upstream_error"),
    errors.BursarError: _Shape(500, "server_error", should_retry=False),
}

_STREAM_FAILED = "An error occurred during streaming"


def status_of(error: errors.BursarError) -> int:
    return _shape_of(error).status


def headers_of(error: errors.BursarError) -> dict[str, str]:
    """Headers that tell an SDK whether, and when, to try again."""
    headers = {}
    should_retry = _shape_of(error).should_retry
    if should_retry is not None:
        headers["x-should-retry"] = str(should_retry).lower()
    if isinstance(error, errors.RateLimited):
        headers["retry-after"] = str(error.retry_after_s)
    return headers


def body_of(error: errors.BursarError) -> dict[str, Any]:
    """The JSON body."""
    return {"detail": _detail_of(error), "error": _error_of(error)}


def stream_failure(code: str) -> bytes:
    """The frames that end a stream which cannot go on."""
    error = {"message": _STREAM_FAILED, "type": "server_error", "param": None, "code": code}
    return frame_of(msgspec.json.encode({"error": error})) + DONE_FRAME


def _shape_of(error: errors.BursarError) -> _Shape:
    return next(_TABLE[kind] for kind in type(error).__mro__ if kind in _TABLE)


def _detail_of(error: errors.BursarError) -> Any:
    if isinstance(error, errors.Unprocessable):
        return [{"type": "value_error", "loc": _location(error.param), "msg": error.message}]
    return error.message


def _location(param: str | None) -> list[str]:
    return ["body", param] if param else ["body"]


def _error_of(error: errors.BursarError) -> Mapping[str, Any]:
    message = error.message
    if isinstance(error, errors.BudgetExceeded):
        message = f"{message}. {error.advice}"
    return {
        "message": message,
        "type": _shape_of(error).type,
        "param": getattr(error, "param", None),
        "code": error.code,
    }


class OpenAIErrors:
    """The shape as `error_shape.ErrorShape`."""

    def status_of(self, error: errors.BursarError) -> int:
        return status_of(error)

    def headers_of(self, error: errors.BursarError) -> Mapping[str, str]:
        return headers_of(error)

    def body_of(self, error: errors.BursarError) -> dict[str, Any]:
        return body_of(error)

    def stream_failure(self, code: str) -> bytes:
        return stream_failure(code)

    def refusal(self, status: int, body: bytes) -> bytes:
        """What a provider of another dialect said, as OpenAI would."""
        from bursar.dialects.provider_errors import (  # noqa: PLC0415 (only an error needs it)
            read_provider_error,
        )

        said = read_provider_error(body)
        error = {
            "message": said.message,
            "type": said.type,
            "param": said.param,
            "code": said.code,
        }
        return msgspec.json.encode({"detail": said.message, "error": error})


OPENAI_ERRORS = OpenAIErrors()
