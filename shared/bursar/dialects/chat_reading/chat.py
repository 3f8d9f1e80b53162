"""Reads a chat request as a whole, all but what only one other dialect has a counterpart for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bursar.dialects.chat_reading.answer_format import AnswerFormat, read_answer_format
from bursar.dialects.chat_reading.blocks import Conversation
from bursar.dialects.chat_reading.conversation import read_conversation
from bursar.dialects.chat_reading.reasoning import Reasoning, read_reasoning
from bursar.dialects.chat_reading.settings import Settings, read_settings
from bursar.dialects.chat_reading.tools import Tools, read_tools
from bursar.dialects.chat_reading.verbosity import read_verbosity

if TYPE_CHECKING:
    from bursar.dialects.chat_reading.fields import Fields


@dataclass(frozen=True, slots=True)
class Chat:
    conversation: Conversation
    tools: Tools
    answer_format: AnswerFormat | None
    reasoning: Reasoning | None
    settings: Settings


def read_chat(request: Fields) -> Chat:
    """Take what every dialect has; the caller takes the rest and closes the fields.

    Raises:
        Untranslatable: a field has no counterpart; `param` is its path.
        InvalidRequest: a field is malformed.
    """
    conversation = read_conversation(request)
    system = (*conversation.system, *read_verbosity(request))
    return Chat(
        replace(conversation, system=system),
        read_tools(request),
        read_answer_format(request),
        read_reasoning(request),
        read_settings(request),
    )
