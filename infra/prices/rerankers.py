"""Rates of models that rank documents, from LiteLLM's list: genai-prices has none of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.domain.money import canonical
from bursar.domain.price_rates import UNITS_PER_RATE, Unit
from infra.prices.mapping import SHARDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.prices.mapping import Shard

Rerankers = dict[str, dict[str, dict[str, str]]]
"""Rates as decimal text by shard, model and unit."""

_COSTS = {"input_cost_per_query": Unit.RERANK_SEARCH, "input_cost_per_token": Unit.INPUT}


def ranked(listed: Mapping[str, Mapping[str, Any]]) -> Rerankers:
    """What the list says of them; a cost of zero means that it is not known."""
    found = {shard: dict(sorted(_of(listed, row))) for shard, row in sorted(SHARDS.items())}
    return {shard: rates for shard, rates in found.items() if rates}


def _of(
    listed: Mapping[str, Mapping[str, Any]], shard: Shard
) -> Iterator[tuple[str, dict[str, str]]]:
    for key, entry in listed.items():
        for provider, prefix in shard.rerankers:
            is_theirs = entry.get("litellm_provider") == provider and key.startswith(prefix)
            rates = dict(_rates(entry)) if is_theirs and entry.get("mode") == "rerank" else {}
            if rates:
                yield key.removeprefix(prefix).lower(), rates


def _rates(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, unit in _COSTS.items():
        cost = entry.get(field)
        if isinstance(cost, int | float) and cost > 0:
            yield str(unit), f"{canonical(Decimal(str(cost)) * UNITS_PER_RATE[unit]):f}"
