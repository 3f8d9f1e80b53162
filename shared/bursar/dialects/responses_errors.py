"""Errors as clients of the Responses API understand them: OpenAI's, but for a broken stream."""

from __future__ import annotations

from bursar.dialects.openai_errors import OpenAIErrors
from bursar.dialects.sse import named_frames

_STREAM_FAILED = "An error occurred during streaming"


class ResponsesErrors(OpenAIErrors):
    """OpenAI's table, and the ends that a Responses stream may have."""

    def stream_failure(self, code: str) -> bytes:
        """An `error` event, on which SDKs raise, and the `response.failed` that agents wait for.

        Nobody knows here how far the stream had come, so the response is an empty one.
        """
        failed = {"code": "server_error", "message": _STREAM_FAILED}
        error = {"type": "server_error", "code": code, "message": _STREAM_FAILED, "param": None}
        return named_frames(
            [
                {"type": "error", "sequence_number": 0, **_flat(error), "error": error},
                {
                    "type": "response.failed",
                    "sequence_number": 0,
                    "response": _failed_response(failed),
                },
            ]
        )


def _flat(error: dict[str, str | None]) -> dict[str, str | None]:
    """The fields where the API's reference has them; live streams nest them under `error`."""
    return {name: error[name] for name in ("code", "message", "param")}


def _failed_response(error: dict[str, str]) -> dict[str, object]:
    return {
        "id": "resp_failed",
        "object": "response",
        "created_at": 0,
        "status": "failed",
        "error": error,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": "",
        "output": [],
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": None,
    }


RESPONSES_ERRORS = ResponsesErrors()
