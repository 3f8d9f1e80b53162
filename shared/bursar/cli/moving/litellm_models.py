"""LiteLLM's names of models, in this gateway's: `azure/gpt-4o` is `azureopenai:gpt-4o` here."""

from __future__ import annotations

import re
from typing import Final

_PROVIDERS: Final = {
    "azure": "azureopenai",
    "azure_ai": "azure",
    "vertex_ai": "vertexai",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "cohere_chat": "cohere",
    "sagemaker_chat": "sagemaker",
    "ollama_chat": "ollama",
    "hosted_vllm": "vllm",
    "lm_studio": "lmstudio",
    "nvidia_nim": "nvidia",
    "llamafile": "llamafile",
}
# How LiteLLM finds the provider of a name that has none.
_BARE: Final = (
    (re.compile(r"gpt-|chatgpt-|o[134](-|$)|text-embedding-|dall-e|whisper|tts-|ft:"), "openai"),
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"command"), "cohere"),
    (re.compile(r"gemini-"), "vertexai"),
)
_ROUTES: Final = re.compile(r"(converse|invoke|converse_like)/")
_CLAUDE: Final = "claude"


def model_here(name: str) -> str | None:
    """A model's name here; None where nothing says whose it is."""
    provider, slash, model = name.partition("/")
    if not slash:
        found = next((known for pattern, known in _BARE if pattern.match(name)), None)
        return None if found is None else f"{_of_vertex(found, name)}:{name}"
    if provider == "bedrock":
        model = _ROUTES.sub("", model, count=1)
    return f"{_of_vertex(_PROVIDERS.get(provider, provider), model)}:{model}" if model else None


def _of_vertex(provider: str, model: str) -> str:
    return "vertexaianthropic" if provider == "vertexai" and _CLAUDE in model else provider
