"""Whether a model may reason without showing it, where only the request and its name can tell.

Chat completions say nothing of reasoning until their usage does. A request may ask for it or forbid
it; otherwise the models of some families reason by themselves. A model that shows its reasoning is
known by that as soon as it begins.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any, Final

_REASONING: Final = (
    *("o[1-9]*", "gpt-[5-9]*", "codex-*"),
    *("gemini-2.5*", "gemini-[3-9]*"),
    "grok-[4-9]*",
)
_PLAIN: Final = ("*-chat", "*-chat-*", "*-non-reasoning*")
_OFF: Final = frozenset({"none", "disabled"})


def may_reason(model: str, asked: Any = None) -> bool:
    """Tell whether an answer may have reasoning that nobody sees.

    Args:
        model: the provider's name of it.
        asked: the effort, or the kind of thinking, that the request names; None where it does not.
    """
    if asked is not None:
        return asked not in _OFF
    name = model.lower().rpartition("/")[2]
    return _is_like(name, _REASONING) and not _is_like(name, _PLAIN)


def _is_like(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
