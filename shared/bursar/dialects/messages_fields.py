"""The fields of a Messages request that the gateway reads, and what has to be true of them.

Source: Anthropic's API reference for `POST /v1/messages`. All other fields pass unread.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bursar.domain.errors import InvalidRequest, Unprocessable

# Far beyond any model; what a request may cost still has to fit the books' digits.
_COUNT_MAX = 10**9


class MessagesFields(msgspec.Struct):
    model: str
    max_tokens: int
    messages: list[dict[str, Any]]
    system: str | list[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    service_tier: str | None = None
    speed: Any = None
    inference_geo: Any = None
    context_management: Any = None
    mcp_servers: Any = None
    container: Any = None
    fallbacks: Any = None
    thread: Any = None


def check(fields: MessagesFields) -> None:
    """Hold the fields against what every provider of Messages wants.

    Raises:
        Unprocessable: as `check_messages`.
        InvalidRequest: a limit that no answer can have; `param` names it.
    """
    check_messages(fields.messages)
    # Zero fills the provider's cache and answers nothing.
    if fields.max_tokens < 0:
        raise InvalidRequest("'max_tokens' must not be negative", param="max_tokens")
    if fields.max_tokens > _COUNT_MAX:
        raise InvalidRequest(f"'max_tokens' must be at most {_COUNT_MAX}", param="max_tokens")


def check_messages(messages: list[dict[str, Any]]) -> None:
    """Hold that there are messages, each by somebody and with some content.

    Raises:
        Unprocessable: there is none, or one lacks its role or its content.
    """
    if not messages:
        raise Unprocessable("messages: at least one message is required", param="messages")
    for index, message in enumerate(messages):
        _check_message(message, f"messages[{index}]")


def _check_message(message: dict[str, Any], path: str) -> None:
    if not isinstance(message.get("role"), str):
        raise Unprocessable(f"Value error, {path}: 'role' is required", param=path)
    content = message.get("content")
    blocks = content if isinstance(content, list) else ()
    if not isinstance(content, str | list) or not all(isinstance(each, dict) for each in blocks):
        raise Unprocessable(
            f"Value error, {path}: 'content' must be a string or a list of blocks",
            param=f"{path}.content",
        )
