"""Makes a Converse request of a chat request.

| Chat | Converse |
| --- | --- |
| `messages`: system, developer | `system`, in their order, wherever they stood |
| `messages`: user, assistant, tool | `messages`; neighbours of one role become one |
| images, files | bytes of a format that Bedrock knows; links are refused: it fetches none |
| `thinking_blocks` of a message | `reasoningContent`; unsigned reasoning is left out |
| ids of calls | the same, or a stand-in where the provider would refuse them |
| blank texts | left out: they say nothing, and are refused |
| `is_error` of a tool's message, an extension | the status of its `toolResult` |
| `name` of a tool's message | left out: the call's id names it; of another message refused |
| `cache_control` of parts, messages, tools | a `cachePoint` behind them |
| `tools`, `tool_choice`, `strict` | `toolConfig`; only functions |
| no `tools`, though some were called | refused: Bedrock wants to know those |
| `tool_choice` none | no `toolConfig`; refused where the conversation already uses tools |
| `parallel_tool_calls` false | refused: Converse cannot forbid it |
| `response_format` json_schema | `outputConfig.textFormat` |
| `reasoning_effort`, `reasoning.effort` | `outputConfig.effort`, or Nova's own `reasoningConfig` |
| `verbosity` | a sentence at the end of `system`, none for medium |
| `max_completion_tokens`, `max_tokens` | `inferenceConfig.maxTokens` |
| `temperature` to 1, `top_p`, `stop` | `inferenceConfig` |
| `metadata` | `requestMetadata`: labels of the call in the account's logs |
| `service_tier` | `serviceTier`; `auto` says nothing |
| `safety_identifier`, `user` | left out: who is behind a request stays in the gateway's books |
| `stream_options.include_usage` | the answer's matter |
| `prompt_cache_key`, `prompt_cache_retention` | left out: where OpenAI looks for its own cache |
| `n` 1, `store` false, penalties 0 and the like | left out: what happens anyway |
| all else | refused by name, as are `top_k`, `seed`, `logprobs`, `prediction`, `audio` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.chat_reading.chat import read_chat
from bursar.dialects.chat_reading.fields import Fields
from bursar.dialects.chat_to_converse.content import ConversationWriter
from bursar.dialects.chat_to_converse.reasoning import effort_fields
from bursar.dialects.chat_to_converse.tools import tool_config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.chat_reading.answer_format import AnswerFormat
    from bursar.dialects.chat_reading.settings import Settings

DIALECT: Final = "Bedrock Converse"
_TIERS: Final = frozenset({"default", "flex", "priority"})


def converse_request(document: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The request's body, which says neither its model nor whether it is streamed.

    Args:
        document: a chat request.
        model: the provider's name for it, which decides how reasoning is asked for.

    Raises:
        Untranslatable: a field has no counterpart; `param` is its path.
        InvalidRequest: a field is malformed.
    """
    request = Fields(document, DIALECT)
    chat = read_chat(request)
    writer = ConversationWriter(chat.conversation)
    parts = {
        "system": writer.system(),
        "messages": writer.messages(),
        "inferenceConfig": _inference_config(chat.settings),
        "toolConfig": tool_config(chat.tools, chat.conversation, request),
        "requestMetadata": request.take("metadata", dict),
        "serviceTier": _service_tier(request),
    }
    effort = effort_fields(chat.reasoning, model, request)
    request.close()
    made = {name: part for name, part in parts.items() if part} | effort
    if chat.answer_format is not None:
        made["outputConfig"] = {
            **made.get("outputConfig", {}),
            "textFormat": _text_format(chat.answer_format),
        }
    return made


def _inference_config(settings: Settings) -> dict[str, Any]:
    fields = {
        "maxTokens": settings.output_tokens,
        "temperature": settings.temperature,
        "topP": settings.top_p,
        "stopSequences": list(settings.stop) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _service_tier(request: Fields) -> dict[str, Any] | None:
    tier = request.take("service_tier", str) or "auto"
    if tier == "auto":
        return None
    if tier not in _TIERS:
        raise request.refusal("service_tier", "must be auto, default, flex or priority")
    return {"type": tier}


def _text_format(wanted: AnswerFormat) -> dict[str, Any]:
    """The schema is JSON in a string."""
    fields = {
        "schema": msgspec.json.encode(wanted.schema).decode(),
        "name": wanted.name,
        "description": wanted.description,
    }
    definition = {name: value for name, value in fields.items() if value is not None}
    return {"type": "json_schema", "structure": {"jsonSchema": definition}}
