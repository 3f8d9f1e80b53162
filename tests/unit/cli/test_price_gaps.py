"""A rate that a price leaves out is told where another one is charged that is less."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bursar.cli.price_gaps import gaps

OWN: dict[str, Any] = {"input_price_per_million": "2", "output_price_per_million": "10"}


def of(public_rates: dict[str, str], **own: Any) -> list[str]:
    decimals = {unit: Decimal(rate) for unit, rate in public_rates.items()}
    public = {**OWN, "rates": decimals, "tiers": []}
    return list(gaps({**OWN, **own}, public))


def test_a_rate_that_is_charged_as_a_cheaper_one_is_told_with_its_option() -> None:
    assert of({"cache_write": "2.5", "output_audio": "20"}) == [
        "cache_write is charged $2, the public price is $2.5: --rate cache_write=2.5",
        "output_audio is charged $10, the public price is $20: --rate output_audio=20",
    ]


@pytest.mark.parametrize(
    ("public", "own"),
    [
        ({"cache_write": "2.5"}, {"rates": {"cache_write": "2.4"}}),
        ({"cache_write": "2.5"}, {"input_price_per_million": "3"}),
        ({"web_search": "10"}, {}),
        ({"reasoning": "3"}, {}),
        ({"cache_write": "2.5"}, {"input_price_per_million": "0"}),
    ],
)
def test_what_is_stated_dearer_refused_or_free_is_not_told(
    public: dict[str, str], own: dict[str, Any]
) -> None:
    assert of(public, **own) == []


def test_a_price_with_tiers_of_its_own_is_not_held_against_the_public_ones() -> None:
    tier = {"above_input_tokens": 200_000, "rates": {"input": Decimal(4)}}
    public = {**OWN, "rates": {}, "tiers": [tier]}
    assert len(list(gaps(OWN, public))) == 1
    assert not list(gaps({**OWN, "tiers": [tier]}, public))
