"""Makes the tools of a Messages request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.chat_reading.tools import Tool, Tools

_CHOICES: Final[Mapping[str, str]] = {"auto": "auto", "none": "none", "required": "any"}


def tool_fields(tools: Tools) -> dict[str, Any]:
    """`tools` and `tool_choice`; none where there are no functions to choose from."""
    if not tools.functions:
        return {}
    choice = _choice(tools)
    made = [_tool(tool) for tool in tools.functions]
    return {"tools": made, "tool_choice": choice} if choice else {"tools": made}


def _tool(tool: Tool) -> dict[str, Any]:
    fields = {
        "name": tool.name,
        "description": tool.description,
        "input_schema": dict(tool.schema),
        "strict": tool.is_strict or None,
        "cache_control": tool.cache,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _choice(tools: Tools) -> dict[str, Any] | None:
    """The choice, None where it is what happens anyway."""
    if tools.only is not None:
        choice: dict[str, Any] = {"type": "tool", "name": tools.only}
    elif tools.choice is None and tools.is_parallel:
        return None
    else:
        choice = {"type": _CHOICES[tools.choice or "auto"]}
    if not tools.is_parallel and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = True
    return choice
