"""One request's translation from Messages to chat, and its answer's back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.messages_to_chat.answer import message_of
from bursar.dialects.messages_to_chat.request import chat_request, hides_thinking
from bursar.dialects.messages_to_chat.stream import ChatStream

if TYPE_CHECKING:
    from bursar.dialects.translator import Asked, StreamTranslator


class MessagesToChat:
    """See `translator.Translator`."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._hides_thinking = False

    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        self._hides_thinking = hides_thinking(document)
        return chat_request(document, self._asked.upstream_model or self._asked.model)

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        return message_of(document, self._asked, hides_thinking=self._hides_thinking)

    def stream(self) -> StreamTranslator:
        return ChatStream(self._asked, hides_thinking=self._hides_thinking)
