"""Errors that providers tell in a stream, after they have answered with status 200.

Each is read for the status that it would have had as an answer of its own, since that decides what
becomes of the request. Seen in the wild: Anthropic's types, OpenAI's codes, a status as a number
in `code` (Google, OpenRouter, vLLM), Google's names of statuses and AWS's of exceptions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

_UNSAID: Final = 500
_STATUSES: Final = range(400, 600)
_BY_NAME: Final = {
    "invalid_request_error": 400,
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "invalid_argument": 400,
    "failed_precondition": 400,
    "validationexception": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "unauthenticated": 401,
    "billing_error": 402,
    "permission_error": 403,
    "permission_denied": 403,
    "accessdeniedexception": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "not_found": 404,
    "resourcenotfoundexception": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "resource_exhausted": 429,
    "throttlingexception": 429,
    "unavailable": 503,
    "serviceunavailableexception": 503,
    "overloaded": 503,
    "timeout_error": 504,
    "deadline_exceeded": 504,
    "overloaded_error": 529,
}


@dataclass(frozen=True, slots=True)
class StreamError:
    """What a provider says went wrong.

    Attributes:
        said: for the books only.
        status: the HTTP status that it stands for; 500 where that cannot be told.
        body: what the answer of that status would have held, in the provider's dialect.
    """

    said: str
    status: int = _UNSAID
    body: bytes = field(default=b"", repr=False)


def stream_error(error: Any, said: str | None = None, **besides: Any) -> StreamError:
    """Read an error event.

    Args:
        error: its `error` object, or whatever stands in that place.
        said: what the books say; None for the object as it is.
        besides: other fields that the dialect has beside `error`.
    """
    told = error if isinstance(error, dict) else {}
    return StreamError(
        str(error) if said is None else said,
        status_named(*(told.get(name) for name in ("code", "type", "status"))),
        msgspec.json.encode({**besides, "error": error}),
    )


def status_named(*words: Any) -> int:
    """The status that the first telling one of an error's codes and types stands for."""
    found = (_status_of(word) for word in words)
    return next((status for status in found if status is not None), _UNSAID)


def _status_of(word: Any) -> int | None:
    if isinstance(word, str) and not (word.isascii() and word.isdecimal()):
        return _BY_NAME.get(word.lower())
    is_number = isinstance(word, int | str) and not isinstance(word, bool)
    number = int(word) if is_number and len(str(word)) == len("500") else 0
    return number if number in _STATUSES else None
