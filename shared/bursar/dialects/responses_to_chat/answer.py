"""A whole chat answer as a response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.responses_to_chat.output import (
    call_item,
    message_item,
    reasoning_item,
    refusal_part,
    text_part,
)
from bursar.dialects.responses_to_chat.reasoning import Kept, packed
from bursar.dialects.responses_to_chat.response import ending_of, response_object, stem_of
from bursar.dialects.responses_to_chat.said import said_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bursar.dialects.responses_to_chat.response import Given
    from bursar.dialects.responses_to_chat.said import Said


def response_of(chat: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """Translate an answer.

    Raises:
        KeyError, IndexError, TypeError: it is none.
    """
    choice = chat["choices"][0]
    ending = ending_of(choice.get("finish_reason"))
    stem = stem_of(chat, given.asked)
    said = said_in(choice, "message")
    output = _items(said, given, stem, ending.item_status)
    return response_object(
        given, stem, status=ending.status, output=output, chat=chat, ending=ending
    )


def _items(said: Said, given: Given, stem: str, status: str) -> Iterator[dict[str, Any]]:
    call_ids = [call.call_id or f"call_{stem}_{index}" for index, call in enumerate(said.calls)]
    pairs = zip(call_ids, said.calls, strict=True)
    kept = Kept(
        given.asked.model,
        said.kept or (said.empty if said.calls else {}),
        {call_id: call.beside for call_id, call in pairs if call.beside},
    )
    if said.reasoning or kept.message or kept.calls:
        encrypted = packed(kept) if kept.message or kept.calls else None
        yield reasoning_item(f"rs_{stem}", said.reasoning, encrypted, status)
    parts = _parts(said)
    if parts:
        yield message_item(f"msg_{stem}", parts, status)
    for index, (call_id, call) in enumerate(zip(call_ids, said.calls, strict=True)):
        tool = given.toolbox.tool_called(call.name)
        yield call_item(f"fc_{stem}_{index}", tool, call_id, call.arguments, status)


def _parts(said: Said) -> list[dict[str, Any]]:
    parts = [text_part(said.text, said.annotations, said.logprobs)] if said.text else []
    if said.refusal:
        parts.append(refusal_part(said.refusal))
    return parts
