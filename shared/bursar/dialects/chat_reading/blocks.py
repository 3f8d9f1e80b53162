"""What the messages of a chat are made of, whatever dialect they are to be said in.

A `cache` is Anthropic's `cache_control` as the caller wrote it: the prompt up to and with the
block is to be cached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Cache: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Inline:
    """Bytes within the request; `data` is base64."""

    media_type: str
    data: str


@dataclass(frozen=True, slots=True)
class Link:
    """Bytes that the provider is to fetch."""

    url: str


Source: TypeAlias = Inline | Link


@dataclass(frozen=True, slots=True)
class Text:
    path: str
    text: str
    cache: Cache | None = None


@dataclass(frozen=True, slots=True)
class Image:
    path: str
    source: Source
    cache: Cache | None = None


@dataclass(frozen=True, slots=True)
class Document:
    path: str
    source: Source
    name: str | None = None
    cache: Cache | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """Reasoning that its provider signed, which it wants back unchanged."""

    text: str
    signature: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """Reasoning that its provider encrypted; `data` is opaque."""

    data: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    path: str
    id: str
    name: str
    arguments: Mapping[str, Any]
    cache: Cache | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    path: str
    call_id: str
    blocks: tuple[Text | Image | Document, ...]
    is_error: bool = False
    cache: Cache | None = None


Block: TypeAlias = Text | Image | Document | Thinking | Redacted | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says: the results of tools are the user's, as the model sees it."""

    role: Literal["user", "assistant"]
    blocks: tuple[Block, ...]

    @property
    def is_results(self) -> bool:
        return bool(self.blocks) and all(isinstance(block, ToolResult) for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The instructions, wherever they stood among the messages, and the turns in their order."""

    system: tuple[Text, ...]
    turns: tuple[Turn, ...]

    @property
    def uses_tools(self) -> bool:
        return any(
            isinstance(block, ToolCall | ToolResult) for turn in self.turns for block in turn.blocks
        )
