"""Carries chat completions to Anthropic's Messages and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.chat_to_messages.answer import completion_of
from bursar.dialects.chat_to_messages.request import messages_request
from bursar.dialects.chat_to_messages.stream import MessagesStream

if TYPE_CHECKING:
    from bursar.dialects.translator import Asked, StreamTranslator


class ChatToMessages:
    """The caller speaks chat, the provider Messages; see `translator.Translator`."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        return messages_request(document, self._asked.upstream_model or self._asked.model)

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        return completion_of(document, self._asked)

    def stream(self) -> StreamTranslator:
        return MessagesStream(self._asked)
