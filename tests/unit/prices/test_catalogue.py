"""The catalogue that is checked in: what it knows, what it leaves out, and what it must not do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bursar.domain.models import ModelName, parse_model
from bursar.domain.price_rates import Unit
from bursar.domain.pricing import cost_of
from bursar.domain.usage import TokenUsage
from bursar.prices.catalogue import CompiledCatalogue
from bursar.upstream.catalogue import load_catalogue

CATALOGUE = CompiledCatalogue()
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


def usd(model: str, now: datetime = NOW) -> tuple[Decimal | None, Decimal | None]:
    price = CATALOGUE.price(parse_model(model), now)
    assert price is not None, CATALOGUE.why_not(parse_model(model))
    return price.input_usd_per_million, price.output_usd_per_million


def reason(model: str) -> str | None:
    assert CATALOGUE.price(parse_model(model), NOW) is None
    return CATALOGUE.why_not(parse_model(model))


@pytest.mark.parametrize(
    ("model", "rate_in", "rate_out"),
    [
        ("openai:gpt-5", "1.25", "10"),
        ("openai:GPT-5", "1.25", "10"),
        ("openai:gpt-5-2025-08-07", "1.25", "10"),
        ("openai:gpt-4o-2024-05-13", "5", "15"),
        ("anthropic:claude-sonnet-4-5-20250929", "3", "15"),
        ("groq:openai/gpt-oss-20b", "0.075", "0.3"),
        ("huggingface:deepseek-ai/DeepSeek-R1-0528:together", "3", "7"),
        ("vertexai:google/gemini-2.5-pro", "1.25", "10"),
        ("gemini:gemini-2.5-pro", "1.25", "10"),
    ],
)
def test_models_have_their_providers_rates_under_every_name(
    model: str, rate_in: str, rate_out: str
) -> None:
    assert usd(model) == (Decimal(rate_in), Decimal(rate_out))


def test_a_region_in_a_models_name_costs_what_that_region_does() -> None:
    bedrock = "bedrock:{}anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert usd(bedrock.format("us.")) == (Decimal("3.3"), Decimal("16.5"))
    assert usd(bedrock.format("eu.")) == (Decimal("3.3"), Decimal("16.5"))
    assert usd(bedrock.format("global.")) == (Decimal(3), Decimal(15))


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("nobody:gpt-5", "no provider 'nobody'"),
        ("openai:gpt-99", "does not know 'gpt-99' of 'openai'"),
        ("azureopenai:gpt-5-pro-max", "does not know"),
        ("mistral:mistral-ocr-2512", "not metered"),
        ("openai:gpt-oss-120b", "another provider's"),
        ("cerebras:qwen-3-coder-480b", "not public"),
        ("vertexaianthropic:claude-sonnet-5-5", "depend on the region"),
        ("huggingface:deepseek-ai/DeepSeek-R1-0528", "does not know"),
        ("vertexai:google/gemma-3-27b-it", "does not know"),
        ("xai:grok-imagine-image-2.0", "depends on the picture's size"),
        ("cohere:embed-multilingual-light-v3.0", "cannot be right"),
    ],
)
def test_what_it_does_not_price_has_a_reason(model: str, why: str) -> None:
    assert why in str(reason(model))


def test_a_model_left_out_is_not_taken_for_another_that_a_wider_rule_matches() -> None:
    shard = json.loads((ROOT / "shared/bursar/prices/data/openai.json").read_bytes())
    left_out = [row["id"] for row in shard["rows"] if "left_out" in row]
    assert left_out
    for model in left_out:
        assert CATALOGUE.price(ModelName("openai", model), NOW) is None


def test_what_is_free_is_known_to_be_free() -> None:
    for model in ("openrouter:openai/gpt-oss-20b:free", "openai:omni-moderation-latest"):
        price = CATALOGUE.price(parse_model(model), NOW)
        assert price is not None
        assert price.is_free


def test_no_other_price_is_free() -> None:
    for provider in load_catalogue():
        for model in CATALOGUE.models(provider):
            price = CATALOGUE.price(ModelName(provider, model), NOW)
            assert price is not None, model
            is_named_so = ":free" in model or "moderation" in model or "gemma" in model
            assert not price.is_free or is_named_so, (provider, model)


def test_every_listed_name_leads_to_its_price() -> None:
    for provider in load_catalogue():
        models = CATALOGUE.models(provider)
        assert len(models) == len(set(models)), provider


@pytest.mark.parametrize(
    ("time", "rate"), [("00:59", "0.15"), ("01:00", "0.3"), ("03:59", "0.3"), ("04:00", "0.15")]
)
def test_the_time_of_the_request_decides_where_a_day_has_windows(time: str, rate: str) -> None:
    hour, minute = map(int, time.split(":"))
    now = NOW.replace(hour=hour, minute=minute)
    assert usd("deepseek:deepseek-flash", now)[0] == Decimal(rate)


def test_a_short_transcription_is_billed_as_the_shortest_that_groq_bills() -> None:
    price = CATALOGUE.price(parse_model("groq:whisper-large-v3"), NOW)
    assert price is not None
    assert cost_of(TokenUsage(audio_seconds=1), price) == cost_of(
        TokenUsage(audio_seconds=10), price
    )


@pytest.mark.parametrize(
    ("model", "usage", "usd"),
    [
        ("cohere:rerank-v3.5", TokenUsage(rerank_searches=1), "0.002"),
        ("voyage:rerank-2.5", TokenUsage(1_000), "0.00005"),
        ("jina:jina-reranker-v3.5", TokenUsage(1_000), "0.00005"),
        ("together:salesforce/llama-rank-v1", TokenUsage(1_000), "0.0001"),
        ("xai:grok-imagine-image", TokenUsage(images=3), "0.06"),
        ("openai:tts-1-hd-1106", TokenUsage(input_characters=100), "0.003"),
        ("azureopenai:whisper", TokenUsage(audio_seconds=3_600), "0.36"),
        ("bedrock:cohere.embed-english-v3", TokenUsage(1_000), "0.0001"),
        ("nebius:Qwen/Qwen3-Embedding-8B", TokenUsage(1_000), "0.00001"),
    ],
)
def test_models_that_answer_in_no_words_are_billed_in_their_own_units(
    model: str, usage: TokenUsage, usd: str
) -> None:
    price = CATALOGUE.price(parse_model(model), NOW)
    assert price is not None
    assert cost_of(usage, price) == Decimal(usd)


def test_models_of_one_kind_of_output_have_a_rate_for_that_kind() -> None:
    pictures = CATALOGUE.price(parse_model("openai:gpt-image-1"), NOW)
    speech = CATALOGUE.price(parse_model("openai:gpt-4o-mini-tts"), NOW)
    assert pictures is not None
    assert speech is not None
    assert pictures.rates[Unit.OUTPUT_IMAGE] == pictures.output_usd_per_million
    assert speech.rates[Unit.OUTPUT_AUDIO] == speech.output_usd_per_million


def test_no_tier_begins_beyond_the_context_window_that_caps_a_quote() -> None:
    for provider in load_catalogue():
        for model in CATALOGUE.models(provider):
            price = CATALOGUE.price(ModelName(provider, model), NOW)
            assert price is not None
            window = price.context_window_tokens
            assert window is None or all(tier.above_input_tokens < window for tier in price.tiers)


def test_one_provider_is_read_without_the_others(tmp_path: Path) -> None:
    data = ROOT / "shared/bursar/prices/data"
    for name in ("index.json", "groq.json"):
        (tmp_path / name).write_bytes((data / name).read_bytes())
    alone = CompiledCatalogue(tmp_path)
    assert alone.price(parse_model("groq:llama-3.1-8b-instant"), NOW) is not None
    with pytest.raises(FileNotFoundError):
        alone.price(parse_model("openai:gpt-5"), NOW)


def test_the_first_models_to_try_have_prices_and_providers() -> None:
    content = json.loads((ROOT / "functions/server/first_models.json").read_bytes())
    for model in content["models"]:
        assert usd(model)
        assert parse_model(model).provider in load_catalogue()


def test_its_sources_are_named_with_versions_and_licences() -> None:
    index = json.loads((ROOT / "shared/bursar/prices/data/index.json").read_bytes())
    sources = (ROOT / "shared/bursar/prices/SOURCES.md").read_text()
    for package in index["sources"]:
        assert package in sources
    assert sources.count("Permission is hereby granted, free of charge") == len(index["sources"])
