"""No price of the catalogue lets usage cost more than the quote of the bound that it is within."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import Unpriceable
from bursar.domain.models import ModelName
from bursar.domain.pricing import Bound, charge_of, charge_of_unreported, quote, told_apart
from bursar.domain.usage import TokenUsage
from bursar.prices.catalogue import CompiledCatalogue
from bursar.upstream.catalogue import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bursar.domain.pricing import Price

CATALOGUE = CompiledCatalogue()
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PROVIDERS = [name for name in sorted(load_catalogue()) if CATALOGUE.models(name)]

USAGES = (
    TokenUsage(),
    TokenUsage(1_000, 500),
    TokenUsage(1_000, 500, 5_000, 5_000, 5_000, reasoning_tokens=5_000),
    TokenUsage(272_001, 9_000, 100_000, reasoning_tokens=3_000),
    TokenUsage(200_000, 9_000, 0, 150_000, 70_000),
    TokenUsage(900, 90, 90, input_audio_tokens=900, cached_audio_tokens=50),
    TokenUsage(900, 90, input_audio_tokens=100, output_audio_tokens=500),
    TokenUsage(900, 9_000, input_image_tokens=600, output_image_tokens=9_000),
    TokenUsage(900, 90, web_searches=7),
    TokenUsage(input_characters=4_000),
    TokenUsage(audio_seconds=3),
    TokenUsage(images=2, rerank_searches=3),
)


def around(usage: TokenUsage, service_tier: str | None) -> Bound:
    """The tightest bound that a usage is within."""
    return Bound(
        usage.input_tokens,
        usage.output_tokens,
        input_audio_tokens=min(usage.input_audio_tokens, usage.input_tokens),
        input_image_tokens=min(usage.input_image_tokens, usage.input_tokens),
        writes_cache=bool(usage.cache_write_tokens),
        writes_cache_1h=bool(usage.cache_write_1h_tokens),
        generates_audio=bool(usage.output_audio_tokens),
        generates_images=bool(usage.output_image_tokens),
        service_tier=service_tier,
        web_searches=usage.web_searches,
        images=usage.images,
        input_characters=usage.input_characters,
        audio_seconds=usage.audio_seconds,
        rerank_searches=usage.rerank_searches,
    )


def cases(price: Price) -> Iterator[tuple[TokenUsage, Bound]]:
    for usage in USAGES:
        for tier in (None, "auto", "default", *price.service_tiers):
            yield usage, around(usage, tier)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_model_costs_more_than_its_quote(provider: str) -> None:
    quoted, seen = 0, set()
    for model in CATALOGUE.models(provider):
        price = CATALOGUE.price(ModelName(provider, model), NOW)
        assert price is not None
        alike = repr((price.table, price.service_tiers, price.caches_unasked))
        if alike in seen:
            continue
        seen.add(alike)
        for usage, bound in cases(price):
            try:
                most = quote(bound, price)
            except Unpriceable:
                continue
            quoted += 1
            served = [
                None,
                "default",
                *(price.service_tiers if bound.service_tier == "auto" else ()),
            ]
            for tier in served:
                told = told_apart(usage, bound, price)
                for used in (usage, told):
                    cost_usd = charge_of(used, price, bound.service_tier, tier).cost_usd
                    assert cost_usd <= most, (model, used, bound, tier)
            assert charge_of_unreported(bound, price, 10**9) <= most
    assert quoted
