"""Answers in the shape of Anthropic's Messages API, as the fake provider sends them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from tests.fakes import scripted_content as content
from tests.fakes.dense_tokens import dense_tokens
from tests.fakes.openai_shapes import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.openai_behaviour import Behaviour

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def error(status: int) -> dict[str, Any]:
    kind = _ERRORS.get(status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": content.error_message(status)}}


def error_body(status: int) -> bytes:
    return as_json({**error(status), "request_id": "req_fake"})


def message_body(request: Mapping[str, Any], behaviour: Behaviour, number: int) -> bytes:
    """A whole message; `x_fake` is a field that no gateway knows."""
    message = {
        **empty_message(request, number),
        "content": list(blocks(request, behaviour)),
        "stop_reason": stop_reason(request, behaviour),
        "x_fake": {"kept": True},
    }
    if behaviour.usage != "never":
        message["usage"] = usage(request, behaviour)
    return as_json(message)


def empty_message(request: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {
        "id": f"msg_fake{number}",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def completion_tokens(request: Mapping[str, Any], behaviour: Behaviour) -> int:
    return content.output_tokens(request["max_tokens"], behaviour)


def usage(request: Mapping[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    """Anthropic's `input_tokens` leave out what was read from a cache or written to one."""
    found = {**input_usage(request, behaviour), "service_tier": "standard"}
    found["output_tokens"] = completion_tokens(request, behaviour)
    if behaviour.thinking_tokens:
        found["output_tokens_details"] = {"thinking_tokens": behaviour.thinking_tokens}
    if behaviour.web_searches:
        searches = {"web_search_requests": behaviour.web_searches, "web_fetch_requests": 0}
        found["server_tool_use"] = searches
    return found


def input_usage(request: Mapping[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    written, kept, read = _cache_tokens(request, behaviour)
    asked = dense_tokens(request) if behaviour.hostile else behaviour.prompt_tokens
    return {
        "input_tokens": asked - written - kept - read,
        "cache_creation_input_tokens": written + kept,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": written,
            "ephemeral_1h_input_tokens": kept,
        },
    }


def _cache_tokens(request: Mapping[str, Any], behaviour: Behaviour) -> tuple[int, int, int]:
    """Written for five minutes, written for an hour, read."""
    marks = as_json(request)
    if not behaviour.hostile or b'"cache_control":{' not in marks:
        written, kept = behaviour.cache_write_tokens, behaviour.cache_write_1h_tokens
        return written, kept, behaviour.cached_tokens
    everything = dense_tokens(request)
    return (0, everything, 0) if b'"ttl":"1h"' in marks else (everything, 0, 0)


def stop_reason(request: Mapping[str, Any], behaviour: Behaviour) -> str:
    return behaviour.stop or ("tool_use" if _is_calling(request, behaviour) else "end_turn")


def blocks(request: Mapping[str, Any], behaviour: Behaviour) -> Iterator[dict[str, Any]]:
    """What was generated: thoughts and searches if scripted, then calls of tools or a text."""
    if behaviour.thinking_tokens:
        thoughts = "".join(content.thoughts(behaviour))
        signature = base64.b64encode(b"signed " + thoughts.encode()).decode()
        yield {"type": "thinking", "thinking": thoughts, "signature": signature}
    for at in range(behaviour.web_searches):
        yield from _search(f"srvtoolu_fake{at}")
    if _is_calling(request, behaviour):
        for at, tool in enumerate(request["tools"]):
            given = json.loads(content.arguments_for(tool.get("input_schema")))
            call = {"id": f"toolu_fake{at}", "name": tool["name"], "input": given}
            yield {"type": "tool_use", **call}
    else:
        yield {"type": "text", "text": _text(request, behaviour)}


def _is_calling(request: Mapping[str, Any], behaviour: Behaviour) -> bool:
    return content.is_calling(behaviour, request["messages"])


def _text(request: Mapping[str, Any], behaviour: Behaviour) -> str:
    if (request.get("output_config") or {}).get("format") or request.get("output_format"):
        return content.STRUCTURED
    return " ".join(content.words(min(completion_tokens(request, behaviour), 1000)))


def _search(identifier: str) -> Iterator[dict[str, Any]]:
    asked = {"id": identifier, "name": "web_search", "input": {"query": "weather"}}
    yield {"type": "server_tool_use", **asked}
    found = {
        "type": "web_search_result",
        "title": "Weather",
        "url": "https://weather.example/",
        "encrypted_content": "RW5jcnlwdGVk",
        "page_age": None,
    }
    yield {"type": "web_search_tool_result", "tool_use_id": identifier, "content": [found]}


def count_body(request: Mapping[str, Any]) -> bytes:
    return as_json({"input_tokens": dense_tokens(request)})


def models_body() -> bytes:
    model = {
        "type": "model",
        "id": "exact-9",
        "display_name": "Exact 9",
        "created_at": "2026-09-21T14:13:20Z",
    }
    return as_json(
        {"data": [model], "has_more": False, "first_id": "exact-9", "last_id": "exact-9"}
    )
