"""Limits of models from LiteLLM's list: how much input they take, and how long they answer.

A limit caps what is quoted, so of several for one row the largest counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.prices.mapping import SHARDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.prices.mapping import Shard

_MODES = frozenset({"chat", "responses", "completion"})

Limits = dict[str, dict[str, list[int | None]]]
"""By shard and the model's name there: the context window and the longest answer, in tokens."""


def extracted(listed: Mapping[str, Mapping[str, Any]]) -> Limits:
    """What the list says of models that answer in words."""
    found = {shard: dict(sorted(_of(listed, row))) for shard, row in sorted(SHARDS.items())}
    return {shard: limits for shard, limits in found.items() if limits}


def _of(
    listed: Mapping[str, Mapping[str, Any]], shard: Shard
) -> Iterator[tuple[str, list[int | None]]]:
    for key, entry in listed.items():
        for provider, prefix in shard.limits:
            if entry.get("litellm_provider") != provider or entry.get("mode") not in _MODES:
                continue
            name = key.removeprefix(prefix)
            is_named_so = key.startswith(prefix) and (prefix or "/" not in name)
            limits = [_count(entry, "max_input_tokens"), _count(entry, "max_output_tokens")]
            if is_named_so and any(limits):
                yield name.lower(), limits


def _count(entry: Mapping[str, Any], field: str) -> int | None:
    value = entry.get(field)
    return value if isinstance(value, int) and value > 0 else None
