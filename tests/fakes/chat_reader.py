"""A chat stream put together again by OpenAI's own SDK, and what it makes of an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

if TYPE_CHECKING:
    from collections.abc import Iterable


def read_answer(document: dict[str, Any]) -> dict[str, Any]:
    """A completion as the SDK sees it; what it does not know is kept."""
    return _plain(ChatCompletion.model_validate(document).model_dump(exclude_none=True))


def read_stream(chunks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The completion that the SDK puts together of chunks."""
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    return _plain(state.current_completion_snapshot.model_dump(exclude_none=True))


def _plain(completion: dict[str, Any]) -> dict[str, Any]:
    """Without what only streams have, and arguments parsed: their spaces are the provider's."""
    for choice in completion["choices"]:
        message = choice["message"]
        message.setdefault("content", "")
        for block in message.get("thinking_blocks", []):
            block.pop("index", None)
        for call in message.get("tool_calls", []):
            call.pop("index", None)
            call["function"].pop("parsed_arguments", None)
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return completion
