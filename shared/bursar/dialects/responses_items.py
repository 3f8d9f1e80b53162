"""Upper bounds for the items of a Responses request.

An item is bounded by its bytes where it holds all that the model will read. One that stands for
something the provider has stored could be of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bursar.dialects.openai_media import Media, measure_media

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# What these hold is all there is. Encrypted content is no shorter than the tokens in it.
_SELF_CONTAINED = frozenset(
    {
        "additional_tools",
        "apply_patch_call",
        "apply_patch_call_output",
        "computer_call",
        "computer_call_output",
        "configuration_update",
        "custom_tool_call",
        "custom_tool_call_output",
        "function_call",
        "function_call_output",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_response",
        "mcp_list_tools",
        "message",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
    }
)
_ENCRYPTED = frozenset({"compaction", "reasoning"})
_PARTS_FIELDS = ("content", "output")
_TEXT_PARTS = frozenset({"input_text", "output_text", "reasoning_text", "refusal", "summary_text"})
_IMAGE_PARTS = frozenset({"computer_screenshot", "input_image"})


@dataclass(frozen=True, slots=True)
class Items:
    """What a request's items may come to.

    Attributes:
        media: what they carry beside text.
        unbounded: the first thing that could stand for any amount of input, None if nothing does.
    """

    media: Media
    unbounded: str | None


def measure_items(items: Sequence[Mapping[str, Any]], model: str) -> Items:
    parts = [_chat_part(part) for item in items for part in _parts(item)]
    media = measure_media([{"content": [part for part in parts if part]}], model)
    stored = next((kind for item in items if (kind := _stored(item)) is not None), None)
    return Items(media, media.unbounded or stored)


def tools_in(items: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Tools that items bring along, which count like those of the request."""
    for item in items:
        tools = item.get("tools")
        if item.get("type") in ("additional_tools", "tool_search_output") and isinstance(
            tools, list
        ):
            yield from (tool for tool in tools if isinstance(tool, dict))


def _stored(item: Mapping[str, Any]) -> str | None:
    """What the item stands for, if that is kept at the provider."""
    kind = item.get("type")
    if kind is None:
        return None if "role" in item else "item_reference"
    if kind in _ENCRYPTED:
        is_whole = isinstance(item.get("encrypted_content"), str) or "id" not in item
        return None if is_whole else str(kind)
    return None if kind in _SELF_CONTAINED else str(kind)


def _parts(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for name in _PARTS_FIELDS:
        held = item.get(name)
        found = held if isinstance(held, list) else [held]
        yield from (part for part in found if isinstance(part, dict))


def _chat_part(part: Mapping[str, Any]) -> dict[str, Any] | None:
    """The part as chat has it, whose bounds are known; None for text, which bytes bound."""
    kind = part.get("type")
    if kind is None or kind in _TEXT_PARTS:  # what a shell wrote has no type
        return None
    if kind in _IMAGE_PARTS:
        return {"type": "image_url", "image_url": part.get("image_url")}
    return dict(part)
