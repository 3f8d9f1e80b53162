"""Tools of a Responses request as chat has them, and what a call of one of them means again.

Chat knows functions only. A custom tool takes free text: it becomes a function with one string. A
namespace groups tools: its name goes in front of theirs. A search for tools that the caller answers
itself is a function too, and the tools that it finds are the request's from then on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.responses_to_chat.fields import kind_of, listed, only, untranslatable
from bursar.dialects.translator import Untranslatable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_INPUT: Final = "input"
_BETWEEN: Final = "__"
_FUNCTION: Final = ("type", "name", "description", "parameters", "strict", "allowed_callers")
_CUSTOM: Final = ("type", "name", "description", "format", "allowed_callers")
_SEARCH: Final = ("type", "description", "parameters", "execution")
_REMEDY: Final = "describe it as a function of your own"
_SEARCH_REMEDY: Final = 'leave it out (in Codex: web_search = "disabled")'
_INPUT_DOCUMENT = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Tool:
    """What the caller knows a function by.

    Attributes:
        kind: the tool's type: `function`, `custom` or `tool_search`.
    """

    name: str
    namespace: str | None = None
    kind: str = "function"


class Toolbox:
    """The tools of one request, by the names that chat knows them by.

    A tool that comes again, as conversations bring them along, is the later one.
    """

    def __init__(self) -> None:
        self._functions: dict[str, dict[str, Any]] = {}
        self._tools: dict[str, Tool] = {}

    @property
    def functions(self) -> list[dict[str, Any]]:
        """What chat is told of them."""
        return [{"type": "function", "function": each} for each in self._functions.values()]

    def add(self, tools: Iterable[Any], where: str, *, was_found: bool = False) -> None:
        """Take in what a request, or one of its items, brings along.

        Args:
            tools: as they came.
            where: the place that they came from.
            was_found: a search found them, for which they had been held back.

        Raises:
            Untranslatable: one is not a tool that runs at the caller.
        """
        for index, tool in enumerate(tools):
            place = f"{where}[{index}]"
            if kind_of(tool) == "namespace":
                self._add_namespace(tool, place, was_found=was_found)
            else:
                self._add_one(_loaded(tool) if was_found else tool, place)

    def tool_called(self, function: str) -> Tool:
        """What a function of chat is; one that nobody gave is called what it is."""
        return self._tools.get(function) or Tool(function)

    def choice_of(self, choice: Any) -> Any:
        """The counterpart of `tool_choice`; choosing from a few takes the others away.

        Raises:
            Untranslatable: it chooses a tool that chat does not have.
        """
        if choice is None or isinstance(choice, str):
            return choice
        if kind_of(choice) == "allowed_tools":
            tools = listed(choice.get("tools"), "tool_choice.tools")
            allowed = {self._chosen(tool) for tool in tools}
            self._functions = {
                name: function for name, function in self._functions.items() if name in allowed
            }
            return choice.get("mode", "auto")
        return {"type": "function", "function": {"name": self._chosen(choice)}}

    def _add_namespace(self, namespace: Mapping[str, Any], place: str, *, was_found: bool) -> None:
        only(namespace, ("type", "name", "description", "tools"), place)
        about, name = namespace.get("description"), named(namespace, place)
        for index, tool in enumerate(listed(namespace.get("tools"), f"{place}.tools")):
            inner = f"{place}.tools[{index}]"
            # Said once: repeating it would make more input than was quoted.
            said = about if index == 0 else None
            self._add_one(_loaded(tool) if was_found else tool, inner, name, said)

    def _add_one(
        self,
        tool: Any,
        place: str,
        namespace: str | None = None,
        about: str | None = None,
    ) -> None:
        kind = kind_of(tool)
        if kind not in _DESCRIBED:
            remedy = _SEARCH_REMEDY if kind.startswith("web_search") else _REMEDY
            raise Untranslatable(
                f"Tool '{kind}' is not one that the model's provider has: {remedy}", param=place
            )
        fields, describe = _DESCRIBED[kind]
        only(tool, fields, place)
        _check_callers(tool, place)
        known = Tool(kind if kind == "tool_search" else named(tool, place), namespace, kind)
        flat = flat_name(known.name, namespace)
        if self._tools.setdefault(flat, known) != known:
            raise Untranslatable(f"Two tools are called '{flat}': rename one", param=place)
        self._functions[flat] = {"name": flat, **describe(tool, about)}

    def _chosen(self, choice: Any) -> str:
        is_own = kind_of(choice) in ("function", "custom")
        if not is_own or not isinstance(choice.get("name"), str):
            raise untranslatable("tool_choice", "choose a function")
        return flat_name(choice["name"], choice.get("namespace"))


def _check_callers(tool: Mapping[str, Any], place: str) -> None:
    """Hold a tool against who runs it and who calls it: the caller, and the model."""
    if kind_of(tool) == "tool_search" and tool.get("execution") != "client":
        raise untranslatable(f"{place}.execution", "set it to 'client' and answer it yourself")
    callers = listed(tool.get("allowed_callers"), f"{place}.allowed_callers")
    if callers and "direct" not in callers:
        raise untranslatable(f"{place}.allowed_callers")


def _loaded(tool: Any) -> Any:
    """A tool that was held back until somebody searched for it."""
    if not isinstance(tool, dict):
        return tool
    return {name: value for name, value in tool.items() if name != "defer_loading"}


def named(holder: Mapping[str, Any], place: str) -> str:
    """The name of a tool or of a namespace.

    Raises:
        Untranslatable: it has none.
    """
    name = holder.get("name")
    if not isinstance(name, str):
        raise Untranslatable(f"'{place}.name' is required", param=f"{place}.name")
    return name


def flat_name(name: str, namespace: Any) -> str:
    """A tool's name among all of them, as chat knows it."""
    return f"{namespace}{_BETWEEN}{name}" if isinstance(namespace, str) else name


def text_arguments(text: str) -> str:
    """The arguments that stand for a custom tool's text."""
    return msgspec.json.encode({_INPUT: text}).decode()


def text_in(arguments: str) -> str:
    """The text that a model gave a custom tool; models forget to wrap it."""
    try:
        text = _INPUT_DOCUMENT.decode(arguments).get(_INPUT)
    except (msgspec.DecodeError, RecursionError):
        return arguments
    return text if isinstance(text, str) else arguments


def query_in(arguments: str) -> Any:
    """What a model searches tools for, which Responses gives as JSON."""
    try:
        return msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments


def _function(tool: Mapping[str, Any], about: str | None) -> dict[str, Any]:
    function: dict[str, Any] = {}
    if description := _joined(about, tool.get("description")):
        function["description"] = description
    if tool.get("parameters") is not None:
        function["parameters"] = tool["parameters"]
    if tool.get("strict"):
        function["strict"] = True
    return function


def _taking_text(tool: Mapping[str, Any], about: str | None) -> dict[str, Any]:
    return {
        "description": _joined(about, tool.get("description"), _grammar(tool.get("format"))),
        "parameters": {
            "type": "object",
            "properties": {_INPUT: {"type": "string"}},
            "required": [_INPUT],
            "additionalProperties": False,
        },
    }


_DESCRIBED: Final[
    Mapping[str, tuple[Sequence[str], Callable[[Mapping[str, Any], str | None], dict[str, Any]]]]
] = {
    "function": (_FUNCTION, _function),
    "custom": (_CUSTOM, _taking_text),
    "tool_search": (_SEARCH, _function),
}


def _grammar(wanted: Any) -> str | None:
    """Chat cannot enforce a grammar, so the model is told of it."""
    if not isinstance(wanted, dict) or wanted.get("type") != "grammar":
        return None
    return f"'{_INPUT}' matches this {wanted.get('syntax')} grammar:\n{wanted.get('definition')}"


def _joined(*texts: Any) -> str:
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)
