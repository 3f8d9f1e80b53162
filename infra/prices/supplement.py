"""Rates of models that do more or other than answer in words, from LiteLLM's list.

genai-prices has few of them: models that rank, embed, speak, listen and draw. Its rates come first.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.money import canonical
from bursar.domain.price_rates import UNITS_PER_RATE, Unit
from infra.prices.mapping import SHARDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.prices.mapping import Shard

Entry = dict[str, Any]
"""`rates` as decimal text by unit, or why there are none: `left_out`."""
Supplement = dict[str, dict[str, Entry]]
"""Entries by shard and the model's name there."""

_TOKENS: Final = {"input_cost_per_token": Unit.INPUT}
_PICTURES_SHOWN: Final = {"input_cost_per_image_token": Unit.INPUT_IMAGE}
# By the kind of model, the ways in which it may be billed: the first that is all there is taken,
# with what else is known for it.
_WAYS: Final[Mapping[str, tuple[tuple[Mapping[str, Unit], Mapping[str, Unit]], ...]]] = {
    "rerank": (({"input_cost_per_query": Unit.RERANK_SEARCH}, {}), (_TOKENS, {})),
    "embedding": ((_TOKENS, _PICTURES_SHOWN),),
    "audio_speech": (
        ({"input_cost_per_character": Unit.CHARACTER}, {}),
        ({**_TOKENS, "output_cost_per_audio_token": Unit.OUTPUT_AUDIO}, {}),
    ),
    "audio_transcription": (
        (
            {**_TOKENS, "output_cost_per_token": Unit.OUTPUT},
            {"input_cost_per_audio_token": Unit.INPUT_AUDIO},
        ),
        ({"input_cost_per_second": Unit.AUDIO}, {}),
    ),
    "image_generation": (
        (
            {**_TOKENS, "output_cost_per_image_token": Unit.OUTPUT_IMAGE},
            {
                **_PICTURES_SHOWN,
                "cache_read_input_token_cost": Unit.CACHED_INPUT,
                "output_cost_per_token": Unit.OUTPUT,
            },
        ),
        # The list has either name for what a picture costs that was made.
        ({"output_cost_per_image": Unit.IMAGE}, {}),
        ({"input_cost_per_image": Unit.IMAGE}, {}),
    ),
}
_BY_SIZE: Final = re.compile(r"output_cost_per_image_(?!token)")
# Entries of one size, quality or region, which callers do not name so.
_VARIANT: Final = re.compile(
    r"(^|/)(low|medium|high|standard|hd|max-x-max|\d+-x-\d+|eu|us|us-gov|global|speech)/"
)
# No provider is known to take half as much; the list has had a million tokens' cost for a thousand.
_PLAUSIBLE_MAX: Final = {
    "rerank": {Unit.RERANK_SEARCH: 20, Unit.INPUT: 5},
    "embedding": {Unit.INPUT: 5, Unit.INPUT_IMAGE: 50},
    "audio_speech": {Unit.CHARACTER: 500, Unit.INPUT: 20, Unit.OUTPUT_AUDIO: 200},
    "audio_transcription": {Unit.AUDIO: 20, Unit.INPUT: 20, Unit.INPUT_AUDIO: 50, Unit.OUTPUT: 50},
    "image_generation": {
        Unit.IMAGE: 2,
        Unit.INPUT: 50,
        Unit.INPUT_IMAGE: 50,
        Unit.CACHED_INPUT: 20,
        Unit.OUTPUT: 100,
        Unit.OUTPUT_IMAGE: 500,
    },
}
# The list divides published rates of an hour or a minute, and cuts the quotient.
_AS_PUBLISHED: Final = Context(prec=4, rounding=ROUND_HALF_EVEN)


def supplemented(listed: Mapping[str, Mapping[str, Any]]) -> Supplement:
    """What the list says of such models; a cost of zero means that it is not known."""
    found = {shard: dict(sorted(_of(listed, row))) for shard, row in sorted(SHARDS.items())}
    return {shard: entries for shard, entries in found.items() if entries}


def _of(listed: Mapping[str, Mapping[str, Any]], shard: Shard) -> Iterator[tuple[str, Entry]]:
    for key, entry in listed.items():
        for provider, prefix in shard.supplement:
            name = key.removeprefix(prefix)
            is_theirs = entry.get("litellm_provider") == provider and key.startswith(prefix)
            is_named_so = (prefix or "/" not in name) and not _VARIANT.search(name)
            if is_theirs and is_named_so and entry.get("mode") in shard.kinds:
                written = _entry(entry)
                if written is not None:
                    yield name, written


def _entry(entry: Mapping[str, Any]) -> Entry | None:
    kind = entry["mode"]
    if any(_BY_SIZE.match(field) for field in entry):
        return {"left_out": "its rate depends on the picture's size"}
    for needed, more in _WAYS.get(kind, ()):
        rates = dict(_rates(entry, needed))
        if len(rates) == len(needed):
            rates |= dict(_rates(entry, more))
            break
    else:
        return None
    if any(rate > _PLAUSIBLE_MAX[kind][unit] for unit, rate in rates.items()):
        return {"left_out": "the rate known for it cannot be right"}
    return {"rates": {str(unit): f"{rate:f}" for unit, rate in rates.items()}}


def _rates(entry: Mapping[str, Any], fields: Mapping[str, Unit]) -> Iterator[tuple[Unit, Decimal]]:
    for field, unit in fields.items():
        cost = entry.get(field)
        if isinstance(cost, int | float) and cost > 0:
            rate = Decimal(str(cost)) * UNITS_PER_RATE[unit]
            yield unit, canonical(_AS_PUBLISHED.plus(rate) if unit is Unit.AUDIO else rate)
