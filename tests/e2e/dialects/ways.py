"""Every way from a caller's dialect to a provider's, and a request that goes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

PATHS: Final = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "responses": "/v1/responses",
}


@dataclass(frozen=True, slots=True)
class Way:
    """A caller's dialect, and a provider that speaks it or another."""

    asked: str
    provider: str

    @property
    def path(self) -> str:
        return PATHS[self.asked]

    @property
    def is_anthropics(self) -> bool:
        return self.provider == "anthropic"

    def body(self, model: str, *, stream: bool, prompt: str = "Grüezi!", limit: int = 50) -> bytes:
        """A request in UTF-8 without escapes, so that a character costs no more than its bytes."""
        fields: dict[str, Any] = {"model": model, "stream": stream}
        if self.asked == "responses":
            fields |= {"input": prompt, "max_output_tokens": limit}
        else:
            messages = [{"role": "user", "content": prompt}]
            fields |= {"messages": messages, "max_tokens": limit}
        return json.dumps(fields, ensure_ascii=False).encode()


WAYS: Final = (
    Way("chat", "openai"),
    Way("chat", "anthropic"),
    Way("messages", "anthropic"),
    Way("messages", "openai"),
    Way("responses", "openai"),
    Way("responses", "cerebras"),
    Way("responses", "anthropic"),
)
NAMES: Final = tuple(f"{way.asked} to {way.provider}" for way in WAYS)

CACHED_USD: Final = Decimal("0.25")
CACHE_WRITE_USD: Final = Decimal("3.125")
CACHE_WRITE_1H_USD: Final = Decimal(5)
SEARCH_USD: Final = Decimal("0.01")
ALL_RATES: Final[dict[str, Any]] = {
    "cached_input_price_per_million": str(CACHED_USD),
    "rates": {
        "cache_write": str(CACHE_WRITE_USD),
        "cache_write_1h": str(CACHE_WRITE_1H_USD),
        "web_search": str(SEARCH_USD * 1000),
    },
}
"""In dollars a million tokens, and for searches a thousand of them."""
