"""Errors told in a stream, read for the status that they would have had without one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bursar.dialects.sse import is_comment
from bursar.dialects.stream_errors import status_named, stream_error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, 529),
        ({"type": "rate_limit_error", "message": "slow down"}, 429),
        ({"type": "api_error", "message": "oops"}, 500),
        ({"type": "tokens", "code": "rate_limit_exceeded"}, 429),
        ({"type": "invalid_request_error", "code": "context_length_exceeded"}, 400),
        ({"type": "server_error", "code": None}, 500),
        ({"code": 503, "status": "UNAVAILABLE", "message": "busy"}, 503),
        ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, 429),
        ({"status": "RESOURCE_EXHAUSTED"}, 429),
        ({"code": "502", "message": "Provider returned error"}, 502),
        ({"type": "BadRequestError", "code": 400}, 400),
        ({"code": 1013, "type": "overloaded_error"}, 529),
        ({"code": 200}, 500),
        ({"code": True}, 500),
        ({"code": ["429"], "type": {"a": 1}}, 500),
        ({"code": "٤٢٩"}, 500),
        ("something went wrong", 500),
        (None, 500),
    ],
)
def test_an_error_stands_for_the_status_that_it_would_have_had(error: Any, status: int) -> None:
    assert stream_error(error).status == status


def test_the_first_word_that_tells_a_status_decides() -> None:
    assert status_named(None, "nonsense", "overloaded_error", 400) == 529


def test_an_error_is_kept_as_the_answer_it_would_have_been() -> None:
    error = {"type": "overloaded_error", "message": "Overloaded"}
    told = stream_error(error, type="error")
    assert msgspec.json.decode(told.body) == {"type": "error", "error": error}
    assert told.said == str(error)


@pytest.mark.parametrize(
    ("frames", "is_only_comments"),
    [
        (b": OPENROUTER PROCESSING\n\n", True),
        (b":\r\n\r\n: again\r\n\r\n", True),
        (b": first\n\ndata: {}\n\n", False),
        (b"data: {}\n\n", False),
        (b"event: ping\ndata: {}\n\n", False),
        (b": begun\ndata: {}\n\n", False),
        (b"", False),
    ],
)
def test_comments_are_told_from_events(frames: bytes, is_only_comments: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    assert is_comment(frames) is is_only_comments
