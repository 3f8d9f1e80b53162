"""Reads the tools of a chat, and how the model is to choose among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.chat_reading.blocks import Cache
from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from bursar.dialects.chat_reading.fields import Fields

_NO_PARAMETERS: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}
_CHOICES: Final = frozenset({"auto", "none", "required"})


@dataclass(frozen=True, slots=True)
class Tool:
    """A function; `schema` is the JSON schema of its arguments."""

    name: str
    description: str | None
    schema: Mapping[str, Any]
    is_strict: bool
    cache: Cache | None


@dataclass(frozen=True, slots=True)
class Tools:
    """The functions, and the choice among them.

    Attributes:
        choice: "auto", "none" or "required"; None where the caller said nothing.
        only: the function that the model must call.
        is_parallel: it may call several at once.
    """

    functions: tuple[Tool, ...] = ()
    choice: str | None = None
    only: str | None = None
    is_parallel: bool = True


def read_tools(request: Fields) -> Tools:
    """The request's `tools`, `tool_choice` and `parallel_tool_calls`.

    Raises:
        Untranslatable: a tool is not a function, or the choice is of another kind.
        InvalidRequest: malformed, or a choice that must be made among no tools.
    """
    functions = tuple(_tool(tool) for tool in request.each("tools"))
    is_parallel = request.take("parallel_tool_calls", bool) is not False
    only: str | None = None
    wanted = request.peek("tool_choice")
    if isinstance(wanted, dict) and wanted.get("type") == "allowed_tools":
        choice, functions = _allowed(request, functions)
    else:
        choice, only = _choice(request)
    if (only or choice == "required") and not functions:
        raise InvalidRequest("'tool_choice' needs 'tools' to choose from", param="tool_choice")
    return Tools(functions, choice, only, is_parallel)


def _tool(tool: Fields) -> Tool:
    kind = tool.take("type", str)
    if kind not in {None, "function"}:
        raise tool.refusal("type", f"is '{kind}', which has no counterpart in {tool.dialect}")
    function = _required(tool, "function")
    read = Tool(
        function.need("name", str),
        function.take("description", str) or None,
        {**_NO_PARAMETERS, **(function.take("parameters", dict) or {})},
        is_strict=function.take("strict", bool) or False,
        cache=tool.take("cache_control", dict) or function.take("cache_control", dict),
    )
    function.close()
    tool.close()
    return read


def _allowed(request: Fields, functions: tuple[Tool, ...]) -> tuple[str | None, tuple[Tool, ...]]:
    """A choice among some of the functions only: the others are not offered.

    OpenAI sends them along for its cache's sake, which no other provider has.
    """
    choice = _required(request, "tool_choice")
    choice.leave("type")
    allowed = _required(choice, "allowed_tools")
    mode = allowed.need("mode", str)
    if mode not in _CHOICES - {"none"}:
        raise allowed.refusal("mode", "must be 'auto' or 'required'")
    names = {_allowed_name(tool) for tool in allowed.each("tools")}
    allowed.close()
    choice.close()
    return mode, tuple(function for function in functions if function.name in names)


def _allowed_name(tool: Fields) -> str:
    if tool.need("type", str) != "function":
        raise tool.refusal("type", "must be 'function'")
    function = _required(tool, "function")
    name = function.need("name", str)
    function.close()
    tool.close()
    return name


def _required(holder: Fields, name: str) -> Fields:
    inner = holder.inner(name)
    if inner is None:
        raise InvalidRequest(f"'{holder.at(name)}' is required", param=holder.at(name))
    return inner


def _choice(request: Fields) -> tuple[str | None, str | None]:
    choice = request.take_any("tool_choice")
    if choice is None or (isinstance(choice, str) and choice in _CHOICES):
        return choice, None
    name = choice.get("function") if isinstance(choice, dict) else None
    name = name.get("name") if isinstance(name, dict) else None
    if not isinstance(name, str) or choice.get("type") != "function":
        raise request.refusal(
            "tool_choice", "must be 'auto', 'none', 'required', or name one function"
        )
    return None, name
