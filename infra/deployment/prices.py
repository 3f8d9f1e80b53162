"""Prices to start with, so that a first model is served."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MOCK = {
    "model_key": "mock:hello",
    "input_price_per_million": 0.5,
    "output_price_per_million": 1.5,
}


def starter_prices(provider: str | None) -> list[dict[str, Any]]:
    """The mock's price, where no provider is; the catalogue has the providers'."""
    return [MOCK] if provider is None else []


def first_model(file: Path, provider: str | None) -> str | None:
    """One that answers in words: a provider's cheapest well-known one, or the mock's."""
    if provider is None:
        return str(MOCK["model_key"])
    models: list[str] = json.loads(file.read_text(encoding="utf-8"))["models"]
    return next((model for model in models if model.startswith(f"{provider}:")), None)
