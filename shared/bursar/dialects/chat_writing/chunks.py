"""Writes an answer as the chunks of a chat completion's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.chat_writing.completion import chat_usage, tool_call

if TYPE_CHECKING:
    from bursar.dialects.translator import Asked
    from bursar.domain.usage import TokenUsage

_Chunk = dict[str, Any]


class ChunkWriter:
    """The chunks of one answer.

    Tool calls are counted in the order in which they begin, whatever stands between them; signed
    reasoning comes block by block, each whole, with an `index` by which SDKs put lists together.

    Args:
        asked: what the chunks repeat of the request.
        identifier: of the answer.
    """

    def __init__(self, asked: Asked, identifier: str) -> None:
        self._asked = asked
        self._identifier = identifier
        self._tool_calls = 0
        self._thinking_blocks = 0

    def start(self) -> _Chunk:
        return self._chunk({"role": "assistant", "content": ""})

    def text(self, text: str) -> _Chunk:
        return self._chunk({"content": text})

    def reasoning(self, text: str) -> _Chunk:
        return self._chunk({"reasoning_content": text})

    def thinking_block(self, block: dict[str, Any]) -> _Chunk:
        index = self._thinking_blocks
        self._thinking_blocks += 1
        return self._chunk({"thinking_blocks": [{"index": index, **block}]})

    def tool_call(self, identifier: str, name: str) -> tuple[int, _Chunk]:
        """A call that begins, and the number that its arguments refer to it by."""
        index = self._tool_calls
        self._tool_calls += 1
        call = {"index": index, **tool_call(identifier, name, "")}
        return index, self._chunk({"tool_calls": [call]})

    def arguments(self, index: int, fragment: str) -> _Chunk:
        return self._chunk({"tool_calls": [{"index": index, "function": {"arguments": fragment}}]})

    def finish(self, reason: str, refusal: str | None = None) -> _Chunk:
        return self._chunk({"refusal": refusal} if refusal else {}, reason)

    def usage(self, usage: TokenUsage | None) -> list[_Chunk]:
        """What was used, for a caller who asked for it."""
        if usage is None or not self._asked.wants_usage:
            return []
        return [{**self._base(), "choices": [], "usage": chat_usage(usage)}]

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> _Chunk:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk = {**self._base(), "choices": [choice]}
        if self._asked.wants_usage:
            chunk["usage"] = None
        return chunk

    def _base(self) -> _Chunk:
        return {
            "id": self._identifier,
            "object": "chat.completion.chunk",
            "created": self._asked.created_s,
            "model": self._asked.model,
        }
