"""Items of a Responses request as the messages of a chat.

One turn of the assistant is several items, its reasoning, its text and its calls, and one message
of chat. Results of tools follow in messages of their own; they may have images, as chat has them
between translators (see `chat_plain`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.responses_to_chat.fields import only, untranslatable
from bursar.dialects.responses_to_chat.parts import content_of, text_of
from bursar.dialects.responses_to_chat.reasoning import unpacked
from bursar.dialects.responses_to_chat.tools import flat_name, text_arguments
from bursar.dialects.translator import Untranslatable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_FOUND: Final = "The tools that were found can be called now."
_FOUND_NONE: Final = "No tools were found."
_REMEDY: Final = "leave the item out, or say in a message what it holds"
# What every item may have and no message needs.
_ITEM: Final = ("type", "id", "status", "phase", "caller", "namespace")


class Conversation:
    """The messages of one request.

    Attributes:
        messages: in chat's shape.
        left_out: reasoning that the model cannot read, as `input_transformations` tells it.
    """

    def __init__(self, model: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self.left_out: list[dict[str, str]] = []
        self._model = model
        self._turn: dict[str, Any] = {}
        self._reasons: list[Mapping[str, Any]] = []
        self._signatures: dict[str, dict[str, Any]] = {}
        self._kinds: dict[str, Callable[[Mapping[str, Any], str], None]] = {
            "message": self._message,
            "reasoning": self._reasoning,
            "function_call": self._function_call,
            "custom_tool_call": self._custom_call,
            "function_call_output": self._result,
            "custom_tool_call_output": self._result,
            "tool_search_call": self._search,
            "tool_search_output": self._found,
            "additional_tools": self._nothing,
        }

    def instruct(self, instructions: Any) -> None:
        if instructions is not None:
            self._system(text_of(instructions, "instructions"))

    def take(self, given: Any) -> None:
        """Translate `input`.

        Raises:
            Untranslatable: an item has no counterpart.
        """
        if isinstance(given, str):
            self.messages.append({"role": "user", "content": given})
            return
        if not isinstance(given, list):
            raise Untranslatable("'input' must be text or a list of items", param="input")
        self._signatures = _signatures(given, self._model)
        for index, item in enumerate(given):
            self._item(item, f"input[{index}]")
        self._end_turn()

    def _item(self, item: Any, where: str) -> None:
        if not isinstance(item, dict):
            raise Untranslatable(f"'{where}' must be an object", param=where)
        kind = str(item.get("type") or ("message" if "role" in item else "item_reference"))
        translate = self._kinds.get(kind)
        if translate is None:
            raise Untranslatable(
                f"'{where}' is a '{kind}', which the model's provider cannot read: {_REMEDY}",
                param=where,
            )
        translate(item, where)

    def _message(self, item: Mapping[str, Any], where: str) -> None:
        only(item, (*_ITEM, "role", "content"), where)
        role = item.get("role")
        if role == "assistant":
            self._said(item.get("content"), f"{where}.content")
            return
        self._end_turn()
        if role in ("system", "developer"):
            self._system(text_of(item.get("content"), f"{where}.content"))
        elif role == "user":
            content = content_of(item.get("content"), f"{where}.content")
            self.messages.append({"role": "user", "content": content})
        else:
            raise untranslatable(f"{where}.role", "use user, assistant, system or developer")

    def _system(self, text: str) -> None:
        """Instructions at the start are one message: many templates take no second one."""
        first = self.messages[0] if self.messages else None
        if first is not None and len(self.messages) == 1 and first["role"] == "system":
            first["content"] += f"\n\n{text}"
        else:
            self.messages.append({"role": "system", "content": text})

    def _said(self, content: Any, where: str) -> None:
        if "content" in self._turn or "refusal" in self._turn:
            self._end_turn()
        parts = content if isinstance(content, list) else [content]
        refusals = [part for part in parts if _is_refusal(part)]
        if refusals:
            self._turn["refusal"] = "\n".join(str(part.get("refusal")) for part in refusals)
        if len(refusals) < len(parts):
            texts = [part for part in parts if not _is_refusal(part)]
            said = texts if isinstance(content, list) else content
            self._turn["content"] = text_of(said, where, "")

    def _reasoning(self, item: Mapping[str, Any], where: str) -> None:
        only(item, (*_ITEM, "summary", "content", "encrypted_content"), where)
        kept = unpacked(item.get("encrypted_content"))
        if kept is None or kept.model != self._model:
            self._leave_out([item], "model_mismatch")
            return
        if kept.message:
            self._reasons.append(item)
        for name, value in kept.message.items():
            before: Any = self._turn.get(name)
            is_more = type(before) is type(value)
            self._turn[name] = before + value if is_more else value

    def _leave_out(self, items: Iterable[Mapping[str, Any]], reason: str) -> None:
        told = {"action": "removed", "reason": reason, "type": "reasoning"}
        self.left_out += [{"id": str(item.get("id") or ""), **told} for item in items]

    def _function_call(self, item: Mapping[str, Any], where: str) -> None:
        only(item, (*_ITEM, "name", "call_id", "arguments"), where)
        self._call(item, _text(item, "arguments", where), where)

    def _custom_call(self, item: Mapping[str, Any], where: str) -> None:
        only(item, (*_ITEM, "name", "call_id", "input"), where)
        self._call(item, text_arguments(_text(item, "input", where)), where)

    def _search(self, item: Mapping[str, Any], where: str) -> None:
        only(item, (*_ITEM, "call_id", "execution", "arguments"), where)
        arguments = msgspec.json.encode(item.get("arguments")).decode()
        self._call({**item, "name": "tool_search"}, arguments, where)

    def _found(self, item: Mapping[str, Any], where: str) -> None:
        """The tools that were found are among the request's."""
        only(item, (*_ITEM, "call_id", "execution", "tools"), where)
        self._end_turn()
        call_id = _text(item, "call_id", where)
        said = _FOUND if item.get("tools") else _FOUND_NONE
        self.messages.append({"role": "tool", "tool_call_id": call_id, "content": said})

    def _call(self, item: Mapping[str, Any], arguments: str, where: str) -> None:
        call_id = _text(item, "call_id", where)
        name = flat_name(_text(item, "name", where), item.get("namespace"))
        call = {
            "id": call_id,
            "type": "function",
            "function": {"name": name, "arguments": arguments},
            **self._signatures.get(call_id, {}),
        }
        self._turn.setdefault("tool_calls", []).append(call)

    def _result(self, item: Mapping[str, Any], where: str) -> None:
        only(item, (*_ITEM, "name", "call_id", "output"), where)
        self._end_turn()
        call_id = _text(item, "call_id", where)
        content = content_of(item.get("output"), f"{where}.output")
        self.messages.append({"role": "tool", "tool_call_id": call_id, "content": content})

    def _nothing(self, item: Mapping[str, Any], where: str) -> None:
        """Tools that an item brings along are among the request's."""

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, {}
        reasons, self._reasons = self._reasons, []
        if turn.keys() & {"content", "refusal", "tool_calls"}:
            self.messages.append({"role": "assistant", "content": None, **turn})
        else:
            self._leave_out(reasons, "turn_boundary")


def _signatures(items: list[Any], model: str) -> dict[str, dict[str, Any]]:
    """What stands beside calls: their items may come before the reasoning that holds it."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        if isinstance(item, dict) and item.get("type") == "reasoning":
            kept = unpacked(item.get("encrypted_content"))
            if kept is not None and kept.model == model:
                found |= kept.calls
    return found


def _is_refusal(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "refusal"


def _text(item: Mapping[str, Any], name: str, where: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise Untranslatable(f"'{where}.{name}' must be text", param=f"{where}.{name}")
    return value
