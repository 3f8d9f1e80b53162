"""Makes a chat request of a Messages request.

| Messages | Chat |
| --- | --- |
| `system` | the first message; blocks are joined by an empty line |
| `messages`: user, assistant, system | the same; `tool_result` blocks become messages of `tool` |
| `clear_at` of a system message | left out with it once a user's message follows |
| `diagnostics` | left out: it asks where Anthropic's own cache ended |
| `image` in base64 or by URL | `image_url` |
| `document` in base64 or by URL | `file`; of text or content blocks: text |
| `search_result` | text: its title, its source and what it says |
| `tool_use`, `tool_result` | `tool_calls`, `tool`; `is_error` stays a mark (see `chat_plain`) |
| `thinking`, `redacted_thinking` | see `reasoning.py` |
| an assistant's message at the end | refused: a chat model begins anew and does not go on with it |
| `cache_control` anywhere | the same marks (see `chat_plain`) |
| `tools`, `strict`, `tool_choice` | the same; only tools that the caller runs, without examples |
| `disable_parallel_tool_use` | `parallel_tool_calls` |
| `output_config.format`, `output_format` | `response_format`; strict where OpenAI's rules allow |
| `thinking`, `output_config.effort` | `reasoning_effort`: see `reasoning.py` |
| `max_tokens` | `max_completion_tokens`, which the wire puts under the provider's own name |
| `temperature`, `top_p`, `stop_sequences` | the same, `stop` |
| `metadata.user_id` | `user`; its digest where it is longer than OpenAI takes |
| `service_tier` auto, standard_only | none, `default` |
| `speed` standard, `inference_geo` global | left out: what happens anyway |
| `context_management` that keeps all, or clears thinking | left out: chat keeps none of its own |
| all else | refused by name, as are `top_k`, `mcp_servers` and `container` |
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.chat_reading.fields import Fields
from bursar.dialects.messages_to_chat.answer_format import format_fields
from bursar.dialects.messages_to_chat.conversation import chat_messages
from bursar.dialects.messages_to_chat.reasoning import reasoning_fields
from bursar.dialects.messages_to_chat.tools import tool_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

DIALECT: Final = "OpenAI's chat"
_USER_CHARS_MAX: Final = 64
_TIERS: Final[Mapping[str, str | None]] = {"auto": None, "standard_only": "default"}


def chat_request(document: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The request, all but its model and whether it is streamed.

    Args:
        document: a Messages request.
        model: the provider's name for it, which decides how reasoning is turned off.

    Raises:
        Untranslatable: a field has no counterpart; `param` is its path.
        InvalidRequest: a field is malformed.
    """
    request = Fields(document, DIALECT)
    request.leave("model", "stream", "diagnostics")
    output_config = request.inner("output_config") or Fields({}, DIALECT, "output_config")
    made = {
        "messages": chat_messages(request),
        **_settings(request),
        **tool_fields(request),
        **reasoning_fields(request, output_config, model),
        **format_fields(request, output_config),
    }
    output_config.close()
    request.close()
    return {name: value for name, value in made.items() if value is not None}


def hides_thinking(document: Mapping[str, Any]) -> bool:
    """Whether the caller wants no thinking to be shown."""
    thinking = document.get("thinking")
    return isinstance(thinking, dict) and thinking.get("display") == "omitted"


def _settings(request: Fields) -> dict[str, Any]:
    request.only("speed", ["standard"])
    request.only("inference_geo", ["global"])
    request.only("mcp_servers", [[]])
    _leave_context_management(request)
    return {
        "max_completion_tokens": _longest(request),
        "temperature": request.take("temperature", float),
        "top_p": request.take("top_p", float),
        "stop": request.take("stop_sequences", list) or None,
        "user": _user(request),
        "service_tier": _tier(request),
        "cache_control": request.take("cache_control", dict),
    }


def _longest(request: Fields) -> int:
    longest = request.need("max_tokens", int)
    if longest < 1:
        raise request.refusal(
            "max_tokens", f"must be at least 1: {DIALECT} cannot only fill a cache"
        )
    return longest


def _user(request: Fields) -> str | None:
    metadata = request.inner("metadata")
    if metadata is None:
        return None
    user_id = metadata.take("user_id", str)
    metadata.close()
    if user_id is None or len(user_id) <= _USER_CHARS_MAX:
        return user_id or None
    return sha256(user_id.encode(errors="surrogatepass")).hexdigest()


def _tier(request: Fields) -> str | None:
    tier = request.take("service_tier", str) or "auto"
    if tier not in _TIERS:
        raise request.refusal("service_tier", "must be 'auto' or 'standard_only'")
    return _TIERS[tier]


def _leave_context_management(request: Fields) -> None:
    management = request.inner("context_management")
    if management is None:
        return
    for edit in management.each("edits"):
        if not edit.need("type", str).startswith("clear_thinking_"):
            raise edit.refusal("type", f"has no counterpart in {DIALECT}")
    management.close()
