"""Carries chat completions to Bedrock's Converse and back."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from bursar.dialects.chat_to_converse.answer import completion_of
from bursar.dialects.chat_to_converse.request import converse_request
from bursar.dialects.chat_to_converse.stream import ConverseStream

if TYPE_CHECKING:
    from bursar.dialects.translator import Asked, StreamTranslator


class ChatToConverse:
    """The caller speaks chat, the provider Converse; see `translator.Translator`.

    Converse gives its answers no id, so one is made.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._identifier = f"chatcmpl-{uuid.uuid4().hex}"

    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        return converse_request(document, self._asked.upstream_model or self._asked.model)

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        return completion_of(document, self._asked, self._identifier)

    def stream(self) -> StreamTranslator:
        return ConverseStream(self._asked, self._identifier)
