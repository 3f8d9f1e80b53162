"""Which public data describe which of our providers, as far as the two name the same company's API.

A provider without a row here has no catalogue: another's rates are never taken for its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bursar.domain.price_rates import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping


_EMBEDS: Final = frozenset({"embedding"})
_RANKS: Final = _EMBEDS | {"rerank"}
_LISTENS: Final = frozenset({"audio_transcription"})
_SPEAKS: Final = _LISTENS | {"audio_speech"}
_DRAWS: Final = frozenset({"image_generation"})


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of the catalogue: a provider of genai-prices.

    Attributes:
        providers: ours that it prices.
        limits: providers of LiteLLM's list with the prefix of their models' names there.
        supplement: the same, where rates of models that genai-prices lacks are taken from.
        kinds: LiteLLM's names for the kinds of such models that we can reach.
    """

    providers: tuple[str, ...]
    limits: tuple[tuple[str, str], ...] = ()
    supplement: tuple[tuple[str, str], ...] = ()
    kinds: frozenset[str] = _EMBEDS


SHARDS: Final[Mapping[str, Shard]] = {
    "anthropic": Shard(("anthropic",), (("anthropic", ""),)),
    "aws": Shard(("bedrock",), (("bedrock", ""), ("bedrock_converse", "")), (("bedrock", ""),)),
    "azure": Shard(
        ("azure", "azureanthropic", "azureopenai"),
        (("azure", "azure/"), ("azure_ai", "azure_ai/")),
        (("azure", "azure/"), ("azure_ai", "azure_ai/")),
        _EMBEDS | _SPEAKS | _DRAWS,
    ),
    "baseten": Shard(("baseten",), (("baseten", "baseten/"),)),
    "cerebras": Shard(("cerebras",), (("cerebras", "cerebras/"),)),
    "cloudflare": Shard(
        ("cloudflare",), (("cloudflare", "cloudflare/"),), (("cloudflare", "cloudflare/"),)
    ),
    "cohere": Shard(
        ("cohere",), (("cohere_chat", ""),), (("cohere", ""), ("cohere", "cohere/")), _RANKS
    ),
    "databricks": Shard(
        ("databricks",), (("databricks", "databricks/"),), (("databricks", "databricks/"),)
    ),
    "deepseek": Shard(("deepseek",), (("deepseek", ""), ("deepseek", "deepseek/"))),
    "fireworks": Shard(
        ("fireworks",),
        (("fireworks_ai", "fireworks_ai/"),),
        (
            ("fireworks_ai", "fireworks_ai/"),
            ("fireworks_ai-embedding-models", "fireworks_ai/"),
        ),
        _RANKS,
    ),
    "google": Shard(
        ("gemini", "vertexai", "vertexaianthropic"),
        (("gemini", "gemini/"), ("vertex_ai-language-models", "")),
        (("gemini", "gemini/"),),
        _EMBEDS | _DRAWS,
    ),
    "groq": Shard(("groq",), (("groq", "groq/"),), (("groq", "groq/"),), _SPEAKS),
    "jina": Shard(("jina",), supplement=(("jina_ai", ""),), kinds=_RANKS),
    "meta": Shard(("meta",), (("meta", "meta/"),)),
    "minimax": Shard(("minimax",), (("minimax", "minimax/"),)),
    "mistral": Shard(
        ("mistral",), (("mistral", "mistral/"),), (("mistral", "mistral/"),), _EMBEDS | _LISTENS
    ),
    "moonshotai": Shard(("moonshot",), (("moonshot", "moonshot/"),)),
    "nebius": Shard(("nebius",), supplement=(("nebius", "nebius/"),)),
    "novita": Shard(("novita",), (("novita", "novita/"),), (("novita", "novita/"),), _RANKS),
    "openai": Shard(
        ("openai",),
        (("openai", ""), ("text-completion-openai", "")),
        (("openai", ""),),
        _DRAWS | {"audio_speech"},
    ),
    "openrouter": Shard(("openrouter",)),
    "ovhcloud": Shard(("ovhcloud",), (("ovhcloud", "ovhcloud/"),)),
    "perplexity": Shard(("perplexity",), (("perplexity", "perplexity/"),)),
    "scaleway": Shard(("scaleway",), supplement=(("scaleway", "scaleway/"),)),
    "together": Shard(
        ("together",),
        (("together_ai", "together_ai/"),),
        (("together_ai", "together_ai/"),),
        _RANKS | _SPEAKS | _DRAWS,
    ),
    "voyageai": Shard(("voyage",), supplement=(("voyage", "voyage/"),), kinds=_RANKS),
    "x-ai": Shard(("xai",), (("xai", "xai/"),), (("xai", "xai/"),), _DRAWS),
    "zai": Shard(("zai",), (("zai", "zai/"),)),
}

BACKENDS: Final[Mapping[str, tuple[str, str]]] = {"huggingface": ("huggingface_", ":")}
"""Ours that name their backend in a model's suffix; each backend is a shard with that prefix."""

PREFIXES: Final[Mapping[str, str]] = {"vertexai": "google/"}
"""What our providers put before a model's name that the data leave out."""

UNITS: Final[Mapping[str, Unit]] = {
    "input_mtok": Unit.INPUT,
    "cache_read_mtok": Unit.CACHED_INPUT,
    "cache_write_mtok": Unit.CACHE_WRITE,
    "cache_write_1h_mtok": Unit.CACHE_WRITE_1H,
    "input_audio_mtok": Unit.INPUT_AUDIO,
    "cache_audio_read_mtok": Unit.CACHED_AUDIO,
    "input_image_mtok": Unit.INPUT_IMAGE,
    "output_mtok": Unit.OUTPUT,
    "output_reasoning_mtok": Unit.REASONING,
    "output_audio_mtok": Unit.OUTPUT_AUDIO,
    "output_image_mtok": Unit.OUTPUT_IMAGE,
    "web_searches_kcount": Unit.WEB_SEARCH,
    "input_mchars": Unit.CHARACTER,
    "audio_hours": Unit.AUDIO,
    "input_audio_hours": Unit.AUDIO,
    "rerank_searches_kcount": Unit.RERANK_SEARCH,
    "requests_kcount": Unit.REQUEST,
}

NOT_NEEDED: Final = frozenset({"cache_image_read_mtok", "storage_searches_kcount"})
"""Cached images are charged as images, and no request that searches files has an upper bound."""

TIER_KEYS: Final = frozenset({"service_tier", "speed", "processing"})
"""Conditions of genai-prices that are a service tier here."""
