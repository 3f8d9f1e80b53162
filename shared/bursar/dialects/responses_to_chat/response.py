"""The response object around the output: what was asked, how it ended, what it used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.openai_usage import read_usage
from bursar.dialects.responses_to_chat.fields import kind_of
from bursar.dialects.responses_to_chat.tools import Toolbox
from bursar.dialects.translator import Asked

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPLETED: Final = "completed"
_INCOMPLETE: Final = "incomplete"
_FAILED: Final = "failed"
_CUT_SHORT: Final = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
    "sensitive": "content_filter",  # Z.ai
}
# Providers that give up half way end their answer with one of these.
_GAVE_UP: Final = frozenset({"error", "insufficient_system_resource", "network_error"})
# What a response repeats of its request; where the request does not say, the API's own defaults,
# because typed clients want numbers.
_REPEATED: Final[Mapping[str, Any]] = {
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "text": {},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}

_TEXT: Final[dict[str, Any]] = {"format": {"type": "text"}}
_FUNCTION: Final[dict[str, Any]] = {"description": None, "parameters": None, "strict": None}


@dataclass(frozen=True, slots=True)
class Given:
    """A request as its response needs it.

    Attributes:
        document: the request.
        left_out: reasoning that was left out of it, see `reasoning`.
    """

    asked: Asked
    document: Mapping[str, Any]
    toolbox: Toolbox
    left_out: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended.

    Attributes:
        status: of the response.
        reason: why it is incomplete.
        error: why it failed.
    """

    status: str = COMPLETED
    reason: str | None = None
    error: dict[str, str] | None = None

    @property
    def item_status(self) -> str:
        return COMPLETED if self.status == COMPLETED else _INCOMPLETE


def ending_of(finish_reason: Any) -> Ending:
    reason = str(finish_reason)
    if reason in _CUT_SHORT:
        return Ending(_INCOMPLETE, _CUT_SHORT[reason])
    if reason in _GAVE_UP:
        message = f"The model's provider gave up: {reason}"
        return Ending(_FAILED, error={"code": "server_error", "message": message})
    return Ending()


def stem_of(chat: Mapping[str, Any], asked: Asked) -> str:
    """What the ids of a response and of its items have in common."""
    letters = [letter for letter in str(chat.get("id") or "") if letter.isalnum() or letter == "-"]
    return "".join(letters).removeprefix("chatcmpl-") or f"{asked.created_s:x}"


def response_object(
    given: Given,
    stem: str,
    *,
    status: str,
    output: Iterable[dict[str, Any]],
    chat: Mapping[str, Any],
    ending: Ending,
) -> dict[str, Any]:
    """A response.

    Args:
        given: the request.
        stem: of its ids.
        status: it may be in progress, whatever the ending.
        output: its items.
        chat: a chat answer, or the last word of a stream on usage and service tier.
        ending: how it ended, if it has.
    """
    response = {
        "id": f"resp_{stem}",
        "object": "response",
        "created_at": given.asked.created_s,
        "completed_at": None,
        "status": status,
        "background": False,
        "error": ending.error,
        "incomplete_details": {"reason": ending.reason} if ending.reason else None,
        "model": given.asked.model,
        "output": list(output),
        "previous_response_id": None,
        "store": False,
        "usage": usage_of(chat.get("usage")),
        **_repeated(given.document),
    }
    if isinstance(chat.get("service_tier"), str):
        response["service_tier"] = chat["service_tier"]
    if given.left_out:
        response["input_transformations"] = given.left_out
    return response


def _repeated(document: Mapping[str, Any]) -> dict[str, Any]:
    repeated = {
        name: usual if document.get(name) is None else document[name]
        for name, usual in _REPEATED.items()
    }
    repeated["text"] = _TEXT | repeated["text"]
    repeated["tools"] = [
        _FUNCTION | tool if kind_of(tool) == "function" else tool for tool in repeated["tools"]
    ]
    return repeated


def usage_of(usage: Any) -> dict[str, Any] | None:
    """Chat usage as Responses has it, None where the provider reported none."""
    read = read_usage(usage)
    if read is None:
        return None
    return {
        "input_tokens": read.input_tokens,
        "input_tokens_details": {
            "cached_tokens": read.cached_input_tokens,
            "cache_write_tokens": read.cache_write_tokens,
        },
        "output_tokens": read.output_tokens,
        "output_tokens_details": {"reasoning_tokens": read.reasoning_tokens},
        "total_tokens": read.total_tokens,
    }
