"""Bodies and events in OpenAI's shapes, as the fake provider sends them."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from typing import TYPE_CHECKING, Any

from tests.fakes import scripted_content as content
from tests.fakes.dense_tokens import dense_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.openai_behaviour import Behaviour

CREATED = 1_790_000_000
DEFAULT_DIMENSIONS = 8

_ERRORS = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


def error_body(status: int) -> bytes:
    kind, code = _ERRORS.get(status, ("server_error", None))
    message = content.error_message(status)
    return as_json({"error": {"message": message, "type": kind, "param": None, "code": code}})


def error_event(_: int) -> bytes:
    return b"data: " + error_body(500) + b"\n\n"


def completion_tokens(request: Mapping[str, Any], behaviour: Behaviour) -> int:
    """Tokens of one choice."""
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    return content.output_tokens(limit, behaviour)


def usage(request: Mapping[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    answered = completion_tokens(request, behaviour) * int(request.get("n") or 1)
    asked = dense_tokens(request) if behaviour.hostile else behaviour.prompt_tokens
    found: dict[str, Any] = {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
    }
    if behaviour.cached_tokens or behaviour.cache_write_tokens:
        found["prompt_tokens_details"] = {
            "cached_tokens": behaviour.cached_tokens,
            "cache_write_tokens": behaviour.cache_write_tokens,
        }
    if behaviour.thinking_tokens:
        found["completion_tokens_details"] = {"reasoning_tokens": behaviour.thinking_tokens}
    return found


def chat_body(request: Mapping[str, Any], behaviour: Behaviour, number: int) -> bytes:
    """A whole completion; `x_fake` is a field that no gateway knows."""
    choices = [
        {
            "index": index,
            "message": _message(request, behaviour),
            "logprobs": None,
            "finish_reason": _finish(request, behaviour),
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
    return as_json(body)


def _message(request: Mapping[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if behaviour.thinking_tokens:
        message["reasoning_content"] = "".join(content.thoughts(behaviour))
    if _is_calling(request, behaviour):
        return {**message, "tool_calls": _tool_calls(request)}
    if _is_structured(request):
        return {**message, "content": content.STRUCTURED}
    words = content.words(min(completion_tokens(request, behaviour), 1000))
    return {**message, "content": " ".join(words)}


def _is_calling(request: Mapping[str, Any], behaviour: Behaviour) -> bool:
    return content.is_calling(behaviour, request["messages"])


def _is_structured(request: Mapping[str, Any]) -> bool:
    return (request.get("response_format") or {}).get("type") == "json_schema"


def _finish(request: Mapping[str, Any], behaviour: Behaviour) -> str:
    return behaviour.stop or ("tool_calls" if _is_calling(request, behaviour) else "stop")


def _tool_calls(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One call of each tool."""
    return [_tool_call(at, tool) for at, tool in enumerate(request["tools"])]


def _tool_call(at: int, tool: Mapping[str, Any]) -> dict[str, Any]:
    kind = tool["type"]
    called = tool[kind]
    if kind == "custom":
        said = {"input": content.CUSTOM_INPUT}
    else:
        said = {"arguments": content.arguments_for(called.get("parameters"))}
    return {"id": f"call_fake{at or ''}", "type": kind, kind: {"name": called["name"], **said}}


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
        for thought in content.thoughts(behaviour):
            yield _choice(index, {"reasoning_content": thought})
        if _is_calling(request, behaviour):
            yield from (_choice(index, delta) for delta in _tool_deltas(request))
        else:
            texts = _texts(request, behaviour)
            yield from (_choice(index, {"content": text}) for text in texts)
        yield _choice(index, {}, _finish(request, behaviour))


def _texts(request: Mapping[str, Any], behaviour: Behaviour) -> list[str]:
    if _is_structured(request):
        return content.pieces_of(content.STRUCTURED)
    words = content.words(min(completion_tokens(request, behaviour), content.MAX_EVENTS))
    return [f"{word} " for word in words]


def _tool_deltas(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for at, call in enumerate(_tool_calls(request)):
        kind = call["type"]
        field = "arguments" if kind == "function" else "input"
        head = {**call, "index": at, kind: {**call[kind], field: ""}}
        yield {"tool_calls": [head]}
        for piece in content.pieces_of(call[kind][field]):
            yield {"tool_calls": [{"index": at, kind: {field: piece}}]}


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
    return as_json(body)


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
    return as_json({"object": "list", "data": [model]})


def sse(event: Mapping[str, Any]) -> bytes:
    return b"data: " + as_json(event) + b"\n\n"


def as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
