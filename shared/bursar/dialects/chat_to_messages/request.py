"""Makes a Messages request of a chat request.

| Chat | Messages |
| --- | --- |
| `messages`: system, developer | `system`, in their order, wherever they stood |
| `messages`: user, assistant | the same; text, images (data URLs and links), PDF and text files |
| `messages`: tool | `tool_result` blocks; what follows one another becomes one turn |
| an assistant's message at the end | the same: Anthropic goes on with it |
| `thinking_blocks` of a message | its first blocks; unsigned reasoning is left out |
| ids of calls | the same, or a stand-in where the provider would refuse them |
| blank texts | left out: they say nothing, and are refused |
| `is_error` of a tool's message, an extension | `is_error` of its block |
| `name` of a tool's message | left out: the call's id names it; of another message refused |
| `cache_control` of parts, messages, tools, request | the same |
| `tools`, `tool_choice`, `strict` | the same; only functions, and of these the allowed ones |
| `parallel_tool_calls` | `tool_choice.disable_parallel_tool_use` |
| `response_format` json_schema | `output_config.format`; `strict` always, `name` is a mere label |
| `reasoning_effort`, `reasoning` | `thinking` and `output_config.effort`: see `thinking.py` |
| `thinking`, `top_k` | the same: Messages' own fields, which LiteLLM takes in chats too |
| `verbosity` | a sentence at the end of `system`, none for medium |
| `max_completion_tokens`, `max_tokens` | `max_tokens` |
| `temperature` to 1, `top_p`, `stop` | the same, `stop_sequences` |
| `safety_identifier`, `user` | `metadata.user_id`, the first that is given |
| `service_tier` auto, default | none, `standard_only`; others refused |
| `stream_options.include_usage` | the answer's matter |
| `prompt_cache_key` and what else is about OpenAI's own cache | left out |
| `n` 1, `store` false, penalties 0 and the like | left out: what happens anyway |
| all else | refused by name, as are `metadata`, `seed`, `logprobs`, `prediction`, `audio` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.chat_reading.chat import read_chat
from bursar.dialects.chat_reading.fields import Fields
from bursar.dialects.chat_to_messages.content import system_blocks, turn
from bursar.dialects.chat_to_messages.thinking import thinking_fields
from bursar.dialects.chat_to_messages.tools import tool_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.chat_reading.answer_format import AnswerFormat
    from bursar.dialects.chat_reading.settings import Settings

DIALECT: Final = "Anthropic Messages"
_TIERS: Final[Mapping[str, str | None]] = {"auto": None, "default": "standard_only"}


def messages_request(document: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The request, all but its model and whether it is streamed.

    Args:
        document: a chat request.
        model: the provider's name for it, which decides how reasoning is asked for.

    Raises:
        Untranslatable: a field has no counterpart; `param` is its path.
        InvalidRequest: a field is malformed.
    """
    request = Fields(document, DIALECT)
    request.only("metadata", [{}])
    chat = read_chat(request)
    own = _own_fields(request)
    thinking = thinking_fields(chat, model, request)
    request.close()
    conversation = chat.conversation
    made: dict[str, Any] = {
        **({"system": system_blocks(conversation)} if conversation.system else {}),
        "messages": [turn(each) for each in conversation.turns],
        **_settings(chat.settings),
        **tool_fields(chat.tools),
        **own,
        **thinking,
    }
    if chat.answer_format is not None:
        made["output_config"] = {
            **made.get("output_config", {}),
            "format": _format(chat.answer_format),
        }
    return made


def _own_fields(request: Fields) -> dict[str, Any]:
    """Fields of Messages itself, and the service tier."""
    tier = request.take("service_tier", str) or "auto"
    if tier not in _TIERS:
        raise request.refusal("service_tier", f"must be auto or default for {DIALECT}")
    fields = {
        "service_tier": _TIERS[tier],
        "top_k": request.take("top_k", int),
        "cache_control": request.take("cache_control", dict),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _settings(settings: Settings) -> dict[str, Any]:
    fields = {
        "max_tokens": settings.output_tokens,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "stop_sequences": list(settings.stop) or None,
        "metadata": {"user_id": settings.end_user} if settings.end_user else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _format(wanted: AnswerFormat) -> dict[str, Any]:
    """What the answer is for is said in the schema, where Messages has a place for it."""
    about = {"description": wanted.description} if wanted.description else {}
    return {"type": "json_schema", "schema": {**about, **wanted.schema}}
