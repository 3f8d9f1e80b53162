"""Reads the reasoning that a caller sends back with an assistant's message.

Bursar gives signed reasoning in `thinking_blocks`, as LiteLLM does: Anthropic's own `thinking` and
`redacted_thinking` blocks. any-llm's SDK keeps the signature in `extra_content.anthropic` and the
text in `reasoning` instead, which is read as well. Reasoning without a signature, and what other
vendors keep for themselves in `extra_content`, is left out: no provider reads another's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.chat_reading.blocks import Redacted, Thinking

if TYPE_CHECKING:
    from bursar.dialects.chat_reading.fields import Fields


def read_thinking(message: Fields) -> list[Thinking | Redacted]:
    """The signed reasoning of a message, in its order.

    Raises:
        Untranslatable: a block is of another kind.
        InvalidRequest: a block is malformed.
    """
    blocks = [_block(block) for block in message.each("thinking_blocks")]
    text = _reasoning_text(message)
    signature = _signature(message.take_any("extra_content"))
    if not blocks and signature:
        return [Thinking(text, signature)]
    return [block for block in blocks if block is not None]


def _block(block: Fields) -> Thinking | Redacted | None:
    kind = block.need("type", str)
    block.leave("index", "cache_control")
    if kind == "redacted_thinking":
        read: Thinking | Redacted | None = Redacted(block.need("data", str))
    elif kind == "thinking":
        text, signature = block.take("thinking", str) or "", block.take("signature", str)
        read = Thinking(text, signature) if signature else None
    else:
        raise block.refusal("type", "must be 'thinking' or 'redacted_thinking'")
    block.close()
    return read


def _reasoning_text(message: Fields) -> str:
    texts = [message.take_any("reasoning"), message.take_any("reasoning_content")]
    for text in texts:
        inner = text.get("content") if isinstance(text, dict) else text
        if isinstance(inner, str):
            return inner
    return ""


def _signature(extra_content: Any) -> str | None:
    extra = extra_content.get("anthropic") if isinstance(extra_content, dict) else None
    signature = extra.get("signature") if isinstance(extra, dict) else None
    return signature if isinstance(signature, str) else None
