"""How much a Claude model is to think.

Models since Opus 4.6 and Sonnet 4.6 decide themselves how much, within an effort
(`thinking: adaptive`, `output_config.effort`); those before it take a budget of tokens instead, and
of them only Opus 4.5 an effort beside. Source: Anthropic's guides on adaptive and extended thinking
and on effort. The budgets are any-llm's, so that an effort means the same through either.

A caller who says nothing gets the model's own default: thinking is neither turned on nor off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.chat_reading.chat import Chat
    from bursar.dialects.chat_reading.fields import Fields
    from bursar.dialects.chat_reading.reasoning import Reasoning

# A closed list, so that models to come are taken for the newer kind. Other companies that resell
# Claude put something before its name, or behind.
_TAKES_BUDGET: Final = re.compile(
    r"claude-3|claude-(opus|sonnet)-4(?=$|[@:]|-20|[-.]0)|claude-opus-4[-.][15](?!\d)"
    r"|claude-(sonnet|haiku)-4[-.]5(?!\d)"
)
_TAKES_BUDGET_AND_EFFORT: Final = re.compile(r"claude-opus-4[-.]5(?!\d)")
_BUDGETS: Final[Mapping[str, int]] = {
    "minimal": 1_024,
    "low": 2_048,
    "medium": 8_192,
    "high": 24_576,
    "xhigh": 32_768,
    "max": 32_768,
}
# Anthropic's smallest budget; as much is kept free for the answer.
_BUDGET_TOKENS_MIN: Final = 1_024
_LOWEST: Final = {"minimal": "low"}
_BEYOND_OPUS_4_5: Final = {"xhigh": "high", "max": "high"}


def thinking_fields(chat: Chat, model: str, request: Fields) -> dict[str, Any]:
    """`thinking` and `output_config` as far as they are about reasoning.

    Args:
        chat: what was read.
        model: the provider's name for it.
        request: whose own `thinking`, in Anthropic's words, is taken.

    Raises:
        Untranslatable: two answers to the same question, or an output limit that leaves no room.
    """
    verbatim = request.take("thinking", dict)
    wanted = chat.reasoning
    if verbatim is not None:
        if wanted is not None:
            raise request.refusal("thinking", "must not stand beside another reasoning field")
        return {"thinking": verbatim}
    if wanted is None:
        return {}
    if not wanted.is_on:
        return {"thinking": {"type": "disabled"}}
    hidden = {"display": "omitted"} if wanted.is_hidden else {}
    name = model.lower()
    output_config = _output_config(wanted, name)
    if wanted.budget_tokens is None and not _TAKES_BUDGET.search(name):
        return {"thinking": {"type": "adaptive", **hidden}, **output_config}
    budget = _budget(wanted, chat.settings.output_tokens, request)
    return {
        "thinking": {"type": "enabled", "budget_tokens": budget, **hidden},
        **output_config,
    }


def _output_config(wanted: Reasoning, name: str) -> dict[str, Any]:
    if wanted.effort is None:
        return {}
    effort = _LOWEST.get(wanted.effort, wanted.effort)
    if _TAKES_BUDGET_AND_EFFORT.search(name):
        effort = _BEYOND_OPUS_4_5.get(effort, effort)
    elif _TAKES_BUDGET.search(name):
        return {}
    return {"output_config": {"effort": effort}}


def _budget(wanted: Reasoning, output_tokens: int | None, request: Fields) -> int:
    """The budget, which counts towards the output limit."""
    if wanted.budget_tokens is not None:
        return wanted.budget_tokens
    budget = _BUDGETS[wanted.effort or "medium"]
    if output_tokens is None:
        return budget
    room = output_tokens - _BUDGET_TOKENS_MIN
    if room < _BUDGET_TOKENS_MIN:
        raise request.refusal(
            "reasoning_effort",
            f"needs an output limit of at least {2 * _BUDGET_TOKENS_MIN} tokens with this model: "
            "raise 'max_completion_tokens'",
        )
    return min(budget, room)
