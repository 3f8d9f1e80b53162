"""What chat completions, whole or streamed, tell their caller, whoever translated them.

Ids and times are the translator's to say, and so is the model, which Bursar names as it was asked
for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def told(completion: dict[str, Any]) -> dict[str, Any]:
    """What a completion tells its caller."""
    (choice,) = completion["choices"]
    message = choice["message"]
    signatures = [block.get("signature") for block in message.get("thinking_blocks", [])]
    calls = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls") or []
    ]
    return {
        "text": message.get("content") or "",
        # any-llm calls it `reasoning`, and keeps the signature in a field of its own.
        "reasoning": message.get("reasoning_content") or message.get("reasoning") or "",
        "signature": "".join(signatures) or _signature(message),
        "calls": calls,
        "finish_reason": choice["finish_reason"],
        "usage": _evened_usage(completion["usage"]),
    }


def told_by_chunks(chunks: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What a stream tells its caller."""
    whole: dict[str, Any] = {"text": "", "reasoning": "", "signature": "", "finish_reason": None}
    calls: dict[int, list[str]] = {}
    usage = None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            delta = choice["delta"]
            whole["text"] += delta.get("content") or ""
            whole["reasoning"] += delta.get("reasoning_content") or delta.get("reasoning") or ""
            whole["signature"] += _signature(delta) + "".join(
                block.get("signature", "") for block in delta.get("thinking_blocks", [])
            )
            whole["finish_reason"] = choice.get("finish_reason") or whole["finish_reason"]
            for call in delta.get("tool_calls") or []:
                # any-llm numbers calls by their place among all blocks.
                known = calls.setdefault(call["index"], ["", "", ""])
                parts = call.get("id"), call["function"].get("name"), call["function"]["arguments"]
                calls[call["index"]] = [a + (b or "") for a, b in zip(known, parts, strict=True)]
    # any-llm streams nothing for a call without arguments.
    whole["calls"] = [(*call[:2], json.loads(call[2] or "{}")) for _, call in sorted(calls.items())]
    return {**whole, "usage": _evened_usage(usage or {})}


def _signature(holder: dict[str, Any]) -> str:
    extra = holder.get("extra_content") or {}
    return str(extra.get("anthropic", {}).get("signature", ""))


def _evened_usage(usage: dict[str, Any]) -> dict[str, Any]:
    """Usage without what is zero, and without how much of the output was reasoning.

    any-llm does not say the latter.
    """
    evened = {name: value for name, value in usage.items() if name != "completion_tokens_details"}
    details = evened.get("prompt_tokens_details") or {}
    evened["prompt_tokens_details"] = {
        name: value
        for name, value in details.items()
        if value and not (isinstance(value, dict) and not any(value.values()))
    }
    return evened
