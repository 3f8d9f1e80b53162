"""Errors as Anthropic's SDKs and the seed gateway's clients both understand them.

The SDKs choose an exception by the status and read `error.type` and `error.message`; the seed's
clients read `detail`. Statuses, and headers on whether to try again, are those of every dialect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bursar.dialects import openai_errors
from bursar.dialects.sse import named_frames
from bursar.domain import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

_API_ERROR = "api_error"
_INVALID = "invalid_request_error"
_STREAM_FAILED = "An error occurred during streaming"

# The first class in an error's method resolution order that is listed here decides.
_TYPES: dict[type[errors.BursarError], str] = {
    errors.Unauthenticated: "authentication_error",
    errors.Unpriceable: "billing_error",
    errors.BudgetExceeded: "billing_error",
    errors.Forbidden: "permission_error",
    errors.NotFound: "not_found_error",
    errors.Conflict: _INVALID,
    errors.RequestTooLarge: "request_too_large",
    errors.InvalidRequest: _INVALID,
    errors.RateLimited: "rate_limit_error",
    errors.UpstreamTimeout: "timeout_error",
    errors.BursarError: _API_ERROR,
}

_TYPES_BY_STATUS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class MessagesErrors:
    """The shape as `error_shape.ErrorShape`."""

    def status_of(self, error: errors.BursarError) -> int:
        return openai_errors.status_of(error)

    def headers_of(self, error: errors.BursarError) -> Mapping[str, str]:
        return openai_errors.headers_of(error)

    def body_of(self, error: errors.BursarError) -> dict[str, Any]:
        told = openai_errors.body_of(error)
        return _body({**told["error"], "type": _type_of(error)}, told["detail"])

    def stream_failure(self, code: str) -> bytes:
        """One `error` event: nothing follows it, as nothing does at Anthropic's."""
        error = {"type": _API_ERROR, "message": _STREAM_FAILED, "code": code}
        return named_frames([{"type": "error", "error": error}])

    def refusal(self, status: int, body: bytes) -> bytes:
        """What a provider of another dialect said, as Anthropic would."""
        from bursar.dialects.provider_errors import (  # noqa: PLC0415 (only an error needs it)
            read_provider_error,
        )

        said = read_provider_error(body)
        error = {
            "type": _type_of_status(status),
            "message": said.message,
            "param": said.param,
            "code": said.code,
        }
        return msgspec.json.encode(_body(error, said.message))


MESSAGES_ERRORS = MessagesErrors()


def _body(error: Mapping[str, Any], detail: Any) -> dict[str, Any]:
    return {"type": "error", "error": error, "detail": detail}


def _type_of(error: errors.BursarError) -> str:
    return next(_TYPES[kind] for kind in type(error).__mro__ if kind in _TYPES)


def _type_of_status(status: int) -> str:
    return _TYPES_BY_STATUS.get(status, _INVALID if status < 500 else _API_ERROR)
