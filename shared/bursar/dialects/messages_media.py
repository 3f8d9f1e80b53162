"""Upper bounds for what Messages carry beside text; see `openai_media` for the same of chat.

Source: Anthropic's vision guide, by which an image is scaled down to at most 4,784 tokens. A PDF
has up to 600 pages, each counted as text and as an image, which nothing in its bytes bounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.openai_media import Media, image_tokens_max

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Blocks that are in the prompt as they are in the request, so that their bytes bound them.
_TEXT_BLOCKS = frozenset(
    {
        "text",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "tool_result",
        "tool_reference",
        "search_result",
        "browser_state",
        "server_tool_use",
        "web_search_tool_result",
        "web_search_result",
        "web_search_tool_result_error",
        "web_fetch_tool_result",
        "web_fetch_result",
        "tool_search_tool_result",
        "tool_addition",
        "tool_removal",
        "mcp_tool_use",
        "mcp_tool_result",
    }
)
_TEXT_SOURCES = frozenset({"text", "content"})


def measure_media(messages: Iterable[Mapping[str, Any]], model: str) -> Media:
    """What all messages carry, the results of tools included."""
    images = inline_bytes = 0
    unbounded = None
    for block in blocks_of(messages):
        kind, source = str(block.get("type")), block.get("source")
        if kind == "image":
            images += 1
            inline_bytes += _inline_bytes(source)
        elif kind == "document":
            if _kind_of(source) not in _TEXT_SOURCES:
                unbounded = unbounded or kind
        elif kind not in _TEXT_BLOCKS:
            unbounded = unbounded or kind
    return Media(images * image_tokens_max(model), 0, inline_bytes, unbounded)


def blocks_of(messages: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Every block, and the blocks within blocks."""
    waiting = [message.get("content") for message in messages]
    while waiting:
        content = waiting.pop()
        found = [content] if isinstance(content, dict) else content
        for block in found if isinstance(found, list) else ():
            if isinstance(block, dict):
                yield block
                source = block.get("source")
                waiting.append(block.get("content"))
                waiting.append(source.get("content") if isinstance(source, dict) else None)


def _kind_of(source: Any) -> str | None:
    return str(source.get("type")) if isinstance(source, dict) else None


def _inline_bytes(source: Any) -> int:
    data = source.get("data") if isinstance(source, dict) else None
    return len(data) if isinstance(data, str) else 0
