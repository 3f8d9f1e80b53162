"""Makes the tools of a Converse request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.chat_to_converse.content import cache_point

if TYPE_CHECKING:
    from bursar.dialects.chat_reading.blocks import Conversation
    from bursar.dialects.chat_reading.fields import Fields
    from bursar.dialects.chat_reading.tools import Tool, Tools


def tool_config(tools: Tools, conversation: Conversation, request: Fields) -> dict[str, Any] | None:
    """`toolConfig`; None where there are no functions to choose from.

    Raises:
        Untranslatable: a choice that Converse has no word for, or tools that were called and are
            not listed: without `toolConfig`, Bedrock takes no block of theirs.
    """
    if not tools.functions:
        if conversation.uses_tools:
            raise request.refusal(
                "tools", f"must list those that were used already, for {request.dialect}"
            )
        return None
    if not tools.is_parallel:
        raise request.refusal("parallel_tool_calls", f"cannot be false for {request.dialect}")
    if tools.choice == "none":
        # Without tools none can be called; but Bedrock wants to know those that were.
        if conversation.uses_tools:
            raise request.refusal(
                "tool_choice", f"cannot be 'none' for {request.dialect} once tools were used"
            )
        return None
    made: list[dict[str, Any]] = []
    for tool in tools.functions:
        made.append(_tool(tool))
        if tool.cache is not None:
            made.append(cache_point(tool.cache, "tools"))
    choice = _choice(tools)
    return {"tools": made, "toolChoice": choice} if choice else {"tools": made}


def _tool(tool: Tool) -> dict[str, Any]:
    spec: dict[str, Any] = {"name": tool.name, "inputSchema": {"json": dict(tool.schema)}}
    if tool.description:
        spec["description"] = tool.description
    if tool.is_strict:
        spec["strict"] = True
    return {"toolSpec": spec}


def _choice(tools: Tools) -> dict[str, Any] | None:
    if tools.only is not None:
        return {"tool": {"name": tools.only}}
    if tools.choice is None:
        return None
    return {"any": {}} if tools.choice == "required" else {"auto": {}}
