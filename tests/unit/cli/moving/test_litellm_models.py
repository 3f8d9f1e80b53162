from __future__ import annotations

import pytest

from bursar.cli.moving.litellm_models import model_here


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("gpt-4o", "openai:gpt-4o"),
        ("o3-mini", "openai:o3-mini"),
        ("claude-sonnet-4-5", "anthropic:claude-sonnet-4-5"),
        ("openai/gpt-4o", "openai:gpt-4o"),
        ("azure/my-deployment", "azureopenai:my-deployment"),
        ("bedrock/converse/anthropic.claude-v2:1", "bedrock:anthropic.claude-v2:1"),
        ("vertex_ai/gemini-2.5-pro", "vertexai:gemini-2.5-pro"),
        ("vertex_ai/claude-sonnet-4-5", "vertexaianthropic:claude-sonnet-4-5"),
        ("openrouter/meta-llama/llama-3", "openrouter:meta-llama/llama-3"),
        ("groq/llama-3.3-70b", "groq:llama-3.3-70b"),
        ("my-own-model", None),
        ("openai/", None),
    ],
)
def test_names_of_models_are_translated(there: str, here: str | None) -> None:
    assert model_here(there) == here
