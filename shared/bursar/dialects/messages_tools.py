"""Upper bounds for what the tools of a Messages request add to it.

Tools that the caller runs are in the prompt, with a prompt of the vendor's around them. Tools that
the provider runs make it sample in rounds: each reads all that came before it, and all are billed.
Sources: Anthropic's pricing page (the prompt of tool use is at most 804 tokens; bash 245, the text
editor 700, computer use 735 and 499) and its guide to stop reasons (at most 10 rounds).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.messages_media import blocks_of
from bursar.domain.errors import Unpriceable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_TOKENS_OF_TOOL_PROMPT: Final = 2_048
# Definitions that the vendor writes itself; those without a published figure are given ample room.
_TOKENS_OF_DEFINITION: Final[Mapping[str, int]] = {
    "custom": 0,
    "bash_": 1_024,
    "text_editor_": 1_024,
    "computer_20": 2_048,
    "memory_": 4_096,
    "computer_toolset_": 16_384,
    "browser_toolset_": 16_384,
}
_ROUNDS_MAX: Final = 10
_OTHER_ROUNDS: Final = 2
_SEARCH, _FETCH, _TOOL_SEARCH = "web_search_", "web_fetch_", "tool_search_tool_"


@dataclass(frozen=True, slots=True)
class ToolBound:
    """What a request's tools can add.

    Attributes:
        prompt_tokens: what the vendor writes into the prompt for them.
        rounds: how often the model is asked, at most.
        takes_limit: one field says how often they run, which may be lowered.
        reads_the_web: what they find may fill the context window.
        web_searches: how many searches they may make.
    """

    prompt_tokens: int = 0
    rounds: int = 1
    reads_the_web: bool = False
    web_searches: int = 0
    takes_limit: bool = False

    @property
    def calls(self) -> int:
        """How often they run, as far as that makes for rounds of its own.

        Of the rounds, one comes before all calls and one answers a call too many.
        """
        return max(self.rounds - _OTHER_ROUNDS, 0)


def measure_tools(tools: Sequence[Mapping[str, Any]]) -> ToolBound:
    """The bound of all tools together.

    Raises:
        Unpriceable: one is billed by what no token price covers, or as often as it likes.
    """
    if not tools:
        return ToolBound()
    kinds = [str(tool.get("type") or "custom") for tool in tools]
    served = [tool for tool, kind in zip(tools, kinds, strict=True) if _is_served(kind)]
    own = (_definition_tokens(kind) for kind in kinds if not _is_served(kind))
    return ToolBound(
        _TOKENS_OF_TOOL_PROMPT * (1 + len(served)) + sum(own),
        _rounds(served) if served else 1,
        any(not _kind(tool).startswith(_TOOL_SEARCH) for tool in served),
        sum(_searches(tool) for tool in served if _kind(tool).startswith(_SEARCH)),
        takes_limit=len(served) == 1 and bool(_uses(served[0])),
    )


def limited_to(tools: Sequence[Mapping[str, Any]], uses: int) -> list[Mapping[str, Any]]:
    """Tools of which the one that the provider runs is used no more often than that."""
    return [{**tool, "max_uses": uses} if _is_served(_kind(tool)) else tool for tool in tools]


def tools_in(messages: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Tools that a conversation brings along, which count like those of the request.

    A `tool_addition` may hold a tool's definition, and so may what a compaction kept of one.
    """
    for block in blocks_of(messages):
        kept = block.get("tool_changes")
        for change in (block, *(kept if isinstance(kept, list) else ())):
            tool = change.get("tool") if isinstance(change, dict) else None
            definition = tool.get("definition") if isinstance(tool, dict) else None
            if isinstance(definition, dict):
                yield definition


def _kind(tool: Mapping[str, Any]) -> str:
    return str(tool.get("type") or "custom")


def _is_served(kind: str) -> bool:
    """Whether the provider runs it."""
    return kind.startswith((_SEARCH, _FETCH, _TOOL_SEARCH))


def _definition_tokens(kind: str) -> int:
    for prefix, tokens in _TOKENS_OF_DEFINITION.items():
        if kind.startswith(prefix):
            return tokens
    raise Unpriceable(
        f"Tool '{kind}' cannot be priced: it is billed by what no token price covers. "
        "Leave it out of 'tools'"
    )


def _searches(tool: Mapping[str, Any]) -> int:
    uses = _uses(tool)
    if uses is None:
        raise Unpriceable(
            f"Tool '{_kind(tool)}' cannot be priced without a limit: set its 'max_uses'"
        )
    return uses


def _uses(tool: Mapping[str, Any]) -> int | None:
    uses = tool.get("max_uses")
    return uses if isinstance(uses, int) and not isinstance(uses, bool) and uses >= 0 else None


def _rounds(served: Sequence[Mapping[str, Any]]) -> int:
    """A round for each use, one for a use too many, which is answered with an error, and the last.

    A tool without a limit may be used in every round there is.
    """
    uses = [_uses(tool) for tool in served]
    limited = [count for count in uses if count is not None]
    if len(limited) < len(uses):
        return _ROUNDS_MAX
    return min(sum(limited) + _OTHER_ROUNDS, _ROUNDS_MAX)
