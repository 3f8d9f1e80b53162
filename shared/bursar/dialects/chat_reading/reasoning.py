"""Reads how much a model is to reason: `reasoning_effort`, or OpenRouter's `reasoning`.

`auto`, any-llm's own word, leaves it to the provider, as saying nothing does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bursar.dialects.chat_reading.fields import Fields

_EFFORTS: Final = ("minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What was asked for.

    Attributes:
        is_on: False where the model is not to reason.
        effort: one of minimal, low, medium, high, xhigh and max, where it was said.
        budget_tokens: the most it may reason, where it was said.
        is_hidden: the reasoning's text is not wanted.
    """

    is_on: bool = True
    effort: str | None = None
    budget_tokens: int | None = None
    is_hidden: bool = False


def read_reasoning(request: Fields) -> Reasoning | None:
    """What the request says of reasoning, None if nothing.

    Raises:
        Untranslatable: an effort that no provider knows, or two answers to the same question.
    """
    effort = request.take("reasoning_effort", str)
    wanted = request.inner("reasoning")
    if wanted is None:
        return _of_effort(request, "reasoning_effort", effort)
    if effort is not None:
        raise request.refusal("reasoning", "must not stand beside 'reasoning_effort'")
    is_hidden = wanted.take("exclude", bool) or False
    is_on = wanted.take("enabled", bool)
    budget_tokens = wanted.take("max_tokens", int)
    said = _of_effort(wanted, "effort", wanted.take("effort", str))
    wanted.close()
    if is_on is False or (said is not None and not said.is_on):
        return Reasoning(is_on=False)
    if said is None and budget_tokens is None and not is_on and not is_hidden:
        return None
    return Reasoning(
        effort=said.effort if said else None, budget_tokens=budget_tokens, is_hidden=is_hidden
    )


def _of_effort(holder: Fields, name: str, effort: str | None) -> Reasoning | None:
    if effort is None or effort == "auto":
        return None
    if effort == "none":
        return Reasoning(is_on=False)
    if effort not in _EFFORTS:
        raise holder.refusal(name, f"must be none, {', '.join(_EFFORTS[:-1])} or {_EFFORTS[-1]}")
    return Reasoning(effort=effort)
