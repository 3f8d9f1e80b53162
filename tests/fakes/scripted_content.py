"""What the fake providers say, in whichever dialect they say it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.fakes.openai_behaviour import Behaviour

UPSTREAM_SECRET: Final = "sk-upstream-canary-0123456789"
ARGUMENTS: Final = '{"city": "Zürich"}'
CUSTOM_INPUT: Final = "*** Begin Patch\n*** End Patch"
STRUCTURED: Final = '{"city":"Zürich","degrees":7}'
STRUCTURED_TOKENS: Final = 9
MAX_EVENTS: Final = 200
TOKENS_DEFAULT: Final = 5


def error_message(status: int) -> str:
    return f"The fake provider answers {status} and leaks {UPSTREAM_SECRET}."


def output_tokens(limit: object, behaviour: Behaviour) -> int:
    """Of one answer: as scripted, or the request's whole limit."""
    if behaviour.completion_tokens is not None:
        return behaviour.completion_tokens
    return int(limit) if isinstance(limit, int) and limit else TOKENS_DEFAULT


def words(count: int) -> list[str]:
    return [f"w{n}" for n in range(count)]


def thoughts(behaviour: Behaviour) -> list[str]:
    return [f"t{n} " for n in range(behaviour.thinking_tokens)]


def arguments_for(schema: Mapping[str, Any] | None) -> str:
    """What a tool is called with; one that takes nothing but an `input` gets a text there."""
    if set((schema or {}).get("properties") or ()) == {"input"}:
        return json.dumps({"input": CUSTOM_INPUT})
    return ARGUMENTS


def pieces_of(text: str) -> list[str]:
    """A text in two, so that whoever reads a stream has to join it."""
    return [text[:5], text[5:]]


def is_calling(behaviour: Behaviour, turns: Sequence[Mapping[str, Any]]) -> bool:
    """Whether tools are called: not by an answer to their results.

    Args:
        turns: the request's messages or items, in any dialect.
    """
    return behaviour.tool_call and not any(map(_has_results, turns[-1:]))


def _has_results(turn: Mapping[str, Any]) -> bool:
    content = turn.get("content")
    blocks = content if isinstance(content, list) else []
    return (
        turn.get("role") == "tool"
        or str(turn.get("type")).endswith("_output")
        or any(block.get("type") == "tool_result" for block in blocks)
    )
