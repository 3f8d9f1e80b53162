"""The translator of one request; see the package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.responses_to_chat.answer import response_of
from bursar.dialects.responses_to_chat.fields import kind_of, listed, translated_fields
from bursar.dialects.responses_to_chat.messages import Conversation
from bursar.dialects.responses_to_chat.response import Given
from bursar.dialects.responses_to_chat.stream import ResponseStream
from bursar.dialects.responses_to_chat.tools import Toolbox

if TYPE_CHECKING:
    from bursar.dialects.translator import Asked, StreamTranslator


class ResponsesToChat:
    """Between a caller who speaks Responses and a provider who speaks chat completions."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._given = Given(asked, {}, Toolbox())

    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        fields = translated_fields(document)
        toolbox = _toolbox(document)
        conversation = Conversation(self._asked.model)
        conversation.instruct(document.get("instructions"))
        conversation.take(document.get("input"))
        self._given = Given(self._asked, document, toolbox, conversation.left_out)
        return {
            "model": document.get("model"),
            "messages": conversation.messages,
            **_tools(document, toolbox),
            **fields,
        }

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        return response_of(document, self._given)

    def stream(self) -> StreamTranslator:
        return ResponseStream(self._given)


def _toolbox(document: dict[str, Any]) -> Toolbox:
    toolbox = Toolbox()
    toolbox.add(listed(document.get("tools"), "tools"), "tools")
    given = document.get("input")
    for index, item in enumerate(given if isinstance(given, list) else ()):
        kind, place = kind_of(item), f"input[{index}].tools"
        if kind in ("additional_tools", "tool_search_output"):
            was_found = kind == "tool_search_output"
            toolbox.add(listed(item.get("tools"), place), place, was_found=was_found)
    return toolbox


def _tools(document: dict[str, Any], toolbox: Toolbox) -> dict[str, Any]:
    choice = toolbox.choice_of(document.get("tool_choice"))
    if not toolbox.functions:
        return {}  # a choice among none is refused by providers
    settings = {
        "tools": toolbox.functions,
        "tool_choice": choice,
        "parallel_tool_calls": document.get("parallel_tool_calls"),
    }
    return {name: value for name, value in settings.items() if value is not None}
