"""Writes an answer as a chat completion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bursar.dialects.translator import Asked
    from bursar.domain.usage import TokenUsage


def completion(
    asked: Asked,
    identifier: str,
    message: dict[str, Any],
    finish_reason: str,
    usage: TokenUsage | None,
) -> dict[str, Any]:
    """A whole answer of one choice; where nothing was counted, its usage says nothing either."""
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": identifier,
        "object": "chat.completion",
        "created": asked.created_s,
        "model": asked.model,
        "choices": [choice],
        "usage": None if usage is None else chat_usage(usage),
    }


def chat_message(
    texts: list[str],
    tool_calls: list[dict[str, Any]],
    reasoning: list[str],
    thinking_blocks: list[dict[str, Any]],
    refusal: str | None = None,
) -> dict[str, Any]:
    """An assistant's message.

    Args:
        reasoning: becomes `reasoning_content`, for people to read.
        thinking_blocks: what was signed, for the caller to send back (see `chat_reading.thinking`).
    """
    content, thought = "".join(texts), "".join(reasoning)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": content if content or not tool_calls else None,
        "refusal": refusal,
    }
    if thought:
        message["reasoning_content"] = thought
    if thinking_blocks:
        message["thinking_blocks"] = thinking_blocks
    if tool_calls:
        message["tool_calls"] = tool_calls
    return message


def tool_call(identifier: str, name: str, arguments: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def chat_usage(usage: TokenUsage) -> dict[str, Any]:
    """OpenAI's usage object.

    What was written to a cache is under the name that OpenRouter gives it, and split by how long
    it is kept as any-llm and LiteLLM split it.
    """
    read: dict[str, Any] = {"cached_tokens": usage.cached_input_tokens}
    if usage.cache_write_tokens:
        one_hour = usage.cache_write_1h_tokens
        read["cache_write_tokens"] = usage.cache_write_tokens
        read["cache_creation_token_details"] = {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens - one_hour,
            "ephemeral_1h_input_tokens": one_hour,
        }
    made: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": read,
    }
    if usage.reasoning_tokens:
        made["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return made
