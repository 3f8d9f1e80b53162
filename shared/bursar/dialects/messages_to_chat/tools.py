"""Makes a chat's functions of a caller's tools, and says which of them may be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.chat_reading.fields import Fields

_CHOICES: Final[Mapping[str, str]] = {"auto": "auto", "any": "required", "none": "none"}


def tool_fields(request: Fields) -> dict[str, Any]:
    """The fields of a chat request that are about tools.

    Raises:
        Untranslatable: a tool that the provider would have to run, or that says what functions
            cannot say.
        InvalidRequest: malformed.
    """
    tools = [_tool(tool) for tool in request.each("tools")]
    choice = request.inner("tool_choice")
    fields: dict[str, Any] = {"tools": tools or None}
    if choice is None:
        return fields
    kind = choice.need("type", str)
    if kind == "tool":
        function = {"name": choice.need("name", str)}
        fields["tool_choice"] = {"type": "function", "function": function}
    elif kind in _CHOICES:
        fields["tool_choice"] = _CHOICES[kind]
    else:
        raise choice.refusal("type", "must be auto, any, tool or none")
    if choice.take("disable_parallel_tool_use", bool):
        fields["parallel_tool_calls"] = False
    choice.close()
    return fields


def _tool(tool: Fields) -> dict[str, Any]:
    kind = tool.take("type", str)
    if kind not in {None, "custom"}:
        raise tool.refusal(
            "type",
            f"is '{kind}', which has no counterpart in {tool.dialect}: describe it as your own",
        )
    tool.leave("eager_input_streaming")  # how its arguments are cut into events
    tool.only("defer_loading", [False])
    tool.only("allowed_callers", [["direct"]])
    tool.only("input_examples", [[]])
    function = {
        "name": tool.need("name", str),
        "description": tool.take("description", str),
        "parameters": tool.need("input_schema", dict),
        "strict": tool.take("strict", bool),
    }
    made = {
        "type": "function",
        "function": {name: value for name, value in function.items() if value is not None},
    }
    cache = tool.take("cache_control", dict)
    tool.close()
    return made if cache is None else {**made, "cache_control": cache}
