"""How much a model is to reason, and what it reasoned before.

Thinking with a budget becomes `reasoning_effort` by the size of the budget, in the three steps that
every reasoning model knows; an effort that is named stays as it is; adaptive thinking is what
such models do by themselves. Where thinking is off, models that would reason unasked are told so;
others are sent nothing, because those that cannot reason refuse the field. For that reason models
that are known not to reason are told of no effort either, unless thinking itself was asked for:
Claude Code names one to whatever model it is set to.

Reasoning goes back only to where it came from. What a chat model reasoned is given to the caller as
`thinking` blocks whose `signature` names the chat's field that it stood in, and goes back in that
field, which some models need to go on with tools. What Anthropic signed or encrypted goes into
`thinking_blocks`, which only a model of Anthropic's reads (see `chat_plain`).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from bursar.dialects.chat_reading.fields import Fields

REASONING_FIELDS: Final = ("reasoning_content", "reasoning")
"""What chat providers call the text of a message's reasoning; signatures name one of them."""

_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
_LOW_TOKENS_MAX, _MEDIUM_TOKENS_MAX = 2_048, 8_192
# Models that reason unless they are told not to, or as little as they can; the first match counts.
_OFF: Final = (
    ("*gpt-5-pro*", None),
    ("*gpt-5.[1-9]*", "none"),
    ("*gpt-5*", "minimal"),
    ("*gpt-[6-9]*", "none"),
    ("*gemini-2.5-flash*", "none"),
)
# Models that refuse to be told how much.
_UNREASONING: Final = ("*gpt-3*", "*gpt-4*")


def reasoning_fields(request: Fields, output_config: Fields, model: str) -> dict[str, Any]:
    """The field that says how much to reason, none where nothing was said.

    Raises:
        Untranslatable: a kind of thinking, or an effort, that nobody knows.
        InvalidRequest: malformed.
    """
    effort = output_config.take("effort", str)
    if effort is not None and effort not in _EFFORTS:
        raise output_config.refusal("effort", f"must be {', '.join(_EFFORTS[:-1])} or max")
    thinking = request.inner("thinking")
    if thinking is None:
        return {"reasoning_effort": _unless_unreasoning(model, effort)}
    kind, budget_tokens = thinking.need("type", str), thinking.take("budget_tokens", int)
    thinking.only("display", ["summarized", "omitted"])
    thinking.close()
    if kind == "disabled":
        return {"reasoning_effort": _off(model)}
    if kind == "adaptive":
        return {"reasoning_effort": _unless_unreasoning(model, effort)}
    if kind == "enabled":
        return {"reasoning_effort": effort or _effort_of(budget_tokens)}
    raise request.refusal("thinking", "must be enabled, adaptive or disabled")


def remember(message: dict[str, Any], block: Fields) -> None:
    """Put a block of earlier reasoning into its message.

    Raises:
        InvalidRequest: malformed.
    """
    if block.need("type", str) == "redacted_thinking":
        kept = {"type": "redacted_thinking", "data": block.need("data", str)}
        message.setdefault("thinking_blocks", []).append(kept)
    else:
        text, signature = block.take("thinking", str) or "", block.take("signature", str)
        if signature and signature not in REASONING_FIELDS:
            kept = {"type": "thinking", "thinking": text, "signature": signature}
            message.setdefault("thinking_blocks", []).append(kept)
        elif text:
            field = signature or REASONING_FIELDS[0]
            message[field] = message.get(field, "") + text
    block.close()


def _effort_of(budget_tokens: int | None) -> str:
    if budget_tokens is None or budget_tokens > _MEDIUM_TOKENS_MAX:
        return "high"
    return "medium" if budget_tokens > _LOW_TOKENS_MAX else "low"


def _unless_unreasoning(model: str, effort: str | None) -> str | None:
    is_known = any(fnmatchcase(model.lower(), pattern) for pattern in _UNREASONING)
    return None if is_known else effort


def _off(model: str) -> str | None:
    name = model.lower()
    return next((effort for pattern, effort in _OFF if fnmatchcase(name, pattern)), None)
