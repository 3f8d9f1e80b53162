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


def starter_prices(file: Path, provider: str | None) -> list[dict[str, Any]]:
    """The well-known models of a provider, or the mock's where there is none."""
    if provider is None:
        return [MOCK]
    rows = json.loads(file.read_text(encoding="utf-8"))["prices"]
    return [_price(row) for row in rows if row["model"].startswith(f"{provider}:")]


def first_model(prices: list[dict[str, Any]]) -> str | None:
    """One that answers in words."""
    names = [str(price["model_key"]) for price in prices]
    return next((name for name in names if "embedding" not in name), None)


def _price(row: dict[str, str]) -> dict[str, Any]:
    price: dict[str, Any] = {
        "model_key": row["model"],
        "input_price_per_million": float(row["input"]),
        "output_price_per_million": float(row["output"]),
    }
    if "cached_input" in row:
        price["cached_input_price_per_million"] = float(row["cached_input"])
    return price
