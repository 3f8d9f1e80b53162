"""Answers in the shape of OpenAI's Responses API, as the fake provider sends them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.fakes import scripted_content as content
from tests.fakes.dense_tokens import dense_tokens
from tests.fakes.openai_shapes import CREATED, as_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.openai_behaviour import Behaviour

REPEATED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
}


def response_body(request: Mapping[str, Any], behaviour: Behaviour, number: int) -> bytes:
    """A whole response; `x_fake` is a field that no gateway knows."""
    return as_json({**ended(request, behaviour, number), "x_fake": {"kept": True}})


def begun(request: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The response before anything was generated."""
    repeated = {
        name: default if request.get(name) is None else request[name]
        for name, default in REPEATED.items()
    }
    return {
        "id": f"resp_fake{number}",
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": request["model"],
        "output": [],
        **repeated,
        "usage": None,
    }


def ended(request: Mapping[str, Any], behaviour: Behaviour, number: int) -> dict[str, Any]:
    """The response with all that was generated; `stops-length` leaves it incomplete."""
    is_cut = behaviour.stop is not None
    return {
        **begun(request, number),
        "status": "incomplete" if is_cut else "completed",
        "incomplete_details": {"reason": behaviour.stop} if is_cut else None,
        "output": output(request, behaviour),
        "usage": None if behaviour.usage == "never" else usage(request, behaviour),
    }


def usage(request: Mapping[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    asked = dense_tokens(request) if behaviour.hostile else behaviour.prompt_tokens
    answered = completion_tokens(request, behaviour)
    return {
        "input_tokens": asked,
        "input_tokens_details": {
            "cached_tokens": behaviour.cached_tokens,
            "cache_write_tokens": behaviour.cache_write_tokens,
        },
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": behaviour.thinking_tokens},
        "total_tokens": asked + answered,
    }


def completion_tokens(request: Mapping[str, Any], behaviour: Behaviour) -> int:
    return content.output_tokens(request.get("max_output_tokens"), behaviour)


def output(request: Mapping[str, Any], behaviour: Behaviour) -> list[dict[str, Any]]:
    """The items: reasoning if it was scripted, then calls of the tools or a message."""
    items = [_reasoning(request, behaviour)] if behaviour.thinking_tokens else []
    if content.is_calling(behaviour, _items(request)):
        return items + [_tool_call(at, tool) for at, tool in enumerate(request["tools"])]
    return [*items, _message(request, behaviour)]


def _items(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = request["input"]
    return given if isinstance(given, list) else [{"role": "user", "content": given}]


def _reasoning(request: Mapping[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    summary = "".join(content.thoughts(behaviour))
    item: dict[str, Any] = {
        "id": "rs_fake",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": summary}],
    }
    if "reasoning.encrypted_content" in (request.get("include") or ()):
        item["encrypted_content"] = base64.b64encode(summary.encode()).decode()
    return item


def _message(request: Mapping[str, Any], behaviour: Behaviour) -> dict[str, Any]:
    part = {"type": "output_text", "text": text(request, behaviour), "annotations": []}
    return {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{**part, "logprobs": []}],
    }


def text(request: Mapping[str, Any], behaviour: Behaviour) -> str:
    if ((request.get("text") or {}).get("format") or {}).get("type") == "json_schema":
        return content.STRUCTURED
    return " ".join(content.words(min(completion_tokens(request, behaviour), 1000)))


def _tool_call(at: int, tool: Mapping[str, Any]) -> dict[str, Any]:
    call = {"status": "completed", "call_id": f"call_fake{at or ''}", "name": tool["name"]}
    if tool["type"] == "custom":
        said = {"id": f"ctc_fake{at}", "type": "custom_tool_call", "input": content.CUSTOM_INPUT}
    else:
        arguments = content.arguments_for(tool.get("parameters"))
        said = {"id": f"fc_fake{at}", "type": "function_call", "arguments": arguments}
    return {**said, **call}
