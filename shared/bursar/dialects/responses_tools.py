"""What the tools of a Responses request may cost beside its own tokens.

Some tools run at the caller, one request after the other. Others run at the provider, within one
response: the model then reads everything again after each call, and some calls are billed by
themselves. Only `max_tool_calls` bounds those; a request without it is given one, as one without an
output limit is, because a bound that the provider does not know is none.

Source: OpenAI's API reference for `POST /v1/responses` and its price list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bursar.domain.errors import Unpriceable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CALLERS = frozenset(
    {
        "apply_patch",
        "computer",
        "computer_use",
        "computer_use_preview",
        "custom",
        "function",
        "local_shell",
        "namespace",
    }
)
_SEARCHES = frozenset(
    {
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    }
)
_LOOPS = _SEARCHES | {"mcp"}
_SURCHARGED = {
    "code_interpreter": "its container is billed by the session",
    "file_search": "it is billed by the call and by the day of storage",
    "image_generation": "its pictures are billed at another model's rates",
    "programmatic_tool_calling": "the provider reads everything again any number of times",
    "shell": "its container is billed by the session, unless its 'environment' is 'local'",
    "tool_search": "the provider reads everything again, unless its 'execution' is 'client'",
}
# Providers that keep to `max_tool_calls`; others have limits of their own, or none.
_CAPPING_PROVIDERS = frozenset({"openai", "azureopenai", "azure"})
CALLS_IMPOSED_MAX = 4
"""The most calls of tools at the provider that a request may make which sets no limit itself."""


@dataclass(frozen=True, slots=True)
class ToolLoop:
    """What the provider may do on its own within one response.

    Attributes:
        calls: of tools that run there, at most; 0 where all tools run at the caller.
        searches: those of them that may be searches of the web.
        is_imposed: the request does not limit them itself.
        lists_tools: the provider may read descriptions of tools that the request does not hold.
    """

    calls: int = 0
    searches: int = 0
    is_imposed: bool = False
    lists_tools: bool = False


def measure_tools(
    tools: Iterable[Mapping[str, Any]], provider: str, max_tool_calls: int | None
) -> ToolLoop:
    """Bound what the provider's own tools do.

    Raises:
        Unpriceable: one of them has no price, or nothing bounds its calls.
    """
    loops: list[str] = []
    for tool in tools:
        kind = _kind_of(tool)
        if kind in _LOOPS:
            loops.append(kind)
        elif kind not in _CALLERS:
            why = _SURCHARGED.get(kind, "what it does at the provider is not known")
            raise Unpriceable(f"Tool '{kind}' cannot be priced: {why}. Leave it out")
    if not loops:
        return ToolLoop()
    if provider not in _CAPPING_PROVIDERS:
        raise Unpriceable(
            f"Tool '{loops[0]}' may run any number of times at the provider, and '{provider}' "
            'keeps to no limit: leave the tool out (in Codex: web_search = "disabled")'
        )
    calls = CALLS_IMPOSED_MAX if max_tool_calls is None else max_tool_calls
    is_searching = any(kind in _SEARCHES for kind in loops)
    return ToolLoop(
        calls,
        calls if is_searching else 0,
        is_imposed=max_tool_calls is None,
        lists_tools="mcp" in loops,
    )


def _kind_of(tool: Mapping[str, Any]) -> str:
    """The tool's type; where one type runs at either side, with the side in front."""
    kind = str(tool.get("type"))
    environment = tool.get("environment")
    if kind == "shell" and isinstance(environment, dict) and environment.get("type") == "local":
        return "local_shell"
    if kind == "tool_search" and tool.get("execution") == "client":
        return "function"
    return kind
