"""Bodies and events in OpenAI's shapes, as the fake provider sends them."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.openai_behaviour import Behaviour

UPSTREAM_SECRET = "sk-upstream-canary-0123456789"
CREATED = 1_790_000_000
MAX_EVENTS = 200
DEFAULT_DIMENSIONS = 8

_ERRORS = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def error_body(status: int) -> bytes:
    kind, code = _ERRORS.get(status, ("server_error", None))
    message = f"The fake provider answers {status} and leaks {UPSTREAM_SECRET}."
    return _json({"error": {"message": message, "type": kind, "param": None, "code": code}})


def completion_tokens(request: Mapping[str, Any], behaviour: Behaviour) -> int:
    """Tokens of one choice."""
    if behaviour.completion_tokens is not None:
        return behaviour.completion_tokens
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    return int(limit) if limit else 5


def usage(request: Mapping[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    answered = completion_tokens(request, behaviour) * int(request.get("n") or 1)
    found: dict[str, Any] = {
        "prompt_tokens": behaviour.prompt_tokens,
        "completion_tokens": answered,
        "total_tokens": behaviour.prompt_tokens + answered,
    }
    if behaviour.cached_tokens:
        found["prompt_tokens_details"] = {"cached_tokens": behaviour.cached_tokens}
    return found


def chat_body(request: Mapping[str, Any], behaviour: Behaviour, number: int) -> bytes:
    """A whole completion; `x_fake` is a field that no gateway knows."""
    choices = [
        {
            "index": index,
            "message": _message(request, behaviour),
            "logprobs": None,
            "finish_reason": "tool_calls" if behaviour.tool_call else "stop",
        }
        for index in range(int(request.get("n") or 1))
    ]
    body: dict[str, Any] = {
        "id": f"chatcmpl-fake{number}",
        "object": "chat.completion",
        "created": CREATED,
        "model": request["model"],
        "choices": choices,
        "x_fake": {"kept": True},
    }
    if behaviour.usage != "never":
        body["usage"] = usage(request, behaviour)
    return _json(body)


def _message(request: Mapping[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    if behaviour.tool_call:
        return {"role": "assistant", "content": None, "tool_calls": _tool_calls(request)}
    words = completion_tokens(request, behaviour)
    return {"role": "assistant", "content": " ".join(f"w{n}" for n in range(min(words, 1000)))}


def _tool_calls(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One call of each tool."""
    arguments = '{"city": "Zürich"}'
    names = [tool["function"]["name"] for tool in request["tools"]]
    return [
        {
            "id": f"call_fake{at or ''}",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        for at, name in enumerate(names)
    ]


def chat_events(request: Mapping[str, Any], behaviour: Behaviour, number: int) -> Iterator[bytes]:
    """The events of a stream, `[DONE]` included."""
    asked = bool((request.get("stream_options") or {}).get("include_usage"))
    wanted = asked and behaviour.usage == "asked"
    base: dict[str, Any] = {
        "id": f"chatcmpl-fake{number}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": request["model"],
    }
    if wanted:
        base["usage"] = None
    deltas = list(_deltas(request, behaviour))
    for at, choice in enumerate(deltas):
        event = {**base, "choices": [choice]}
        if behaviour.usage == "in_last_content" and at == len(deltas) - 1:
            event["usage"] = usage(request, behaviour)
        yield sse(event)
    if wanted:
        yield sse({**base, "choices": [], "usage": usage(request, behaviour)})
    if behaviour.fault != "no_done":
        yield b"data: [DONE]\n\n"


def _deltas(request: Mapping[str, Any], behaviour: Behaviour) -> Iterator[dict[str, Any]]:
    for index in range(int(request.get("n") or 1)):
        yield _choice(index, {"role": "assistant", "content": ""})
        if behaviour.tool_call:
            yield from (_choice(index, delta) for delta in _tool_deltas(request))
        else:
            words = min(completion_tokens(request, behaviour), MAX_EVENTS)
            yield from (_choice(index, {"content": f"w{n} "}) for n in range(words))
        yield _choice(index, {}, "tool_calls" if behaviour.tool_call else "stop")


def _tool_deltas(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for at, call in enumerate(_tool_calls(request)):
        arguments = call["function"]["arguments"]
        head = {
            **call,
            "index": at,
            "function": {"name": call["function"]["name"], "arguments": ""},
        }
        yield {"tool_calls": [head]}
        for piece in (arguments[:5], arguments[5:]):
            yield {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}


def _choice(index: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}


def embeddings_body(request: Mapping[str, Any], behaviour: Behaviour) -> bytes:
    given = request["input"]
    inputs = given if isinstance(given, list) and not _is_token_ids(given) else [given]
    size = int(request.get("dimensions") or DEFAULT_DIMENSIONS)
    base64_wanted = request.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": at, "embedding": _embedding(one, size, base64_wanted)}
        for at, one in enumerate(inputs)
    ]
    body: dict[str, Any] = {"object": "list", "data": data, "model": request["model"]}
    if behaviour.usage != "never":
        tokens = behaviour.prompt_tokens
        body["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    return _json(body)


def _is_token_ids(given: list[Any]) -> bool:
    return bool(given) and isinstance(given[0], int)


def _embedding(given: object, size: int, base64_wanted: bool) -> list[float] | str:  # noqa: FBT001
    seed = hashlib.sha256(repr(given).encode()).digest()
    vector = [seed[at % len(seed)] / 256 for at in range(size)]
    if base64_wanted:
        return base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
    return vector


def models_body() -> bytes:
    model = {"id": "exact-9", "object": "model", "created": CREATED, "owned_by": "fake"}
    return _json({"object": "list", "data": [model]})


def sse(event: Mapping[str, Any]) -> bytes:
    return b"data: " + _json(event) + b"\n\n"


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
