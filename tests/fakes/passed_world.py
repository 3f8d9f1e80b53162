"""The gateway over stores in memory and, over real sockets, a provider of what passes through."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.domain.price_rates import Unit
from bursar.domain.pricing import Price
from bursar.domain.upstream import Endpoint, Provider, Target
from bursar.upstream.httpcore2_client import Httpcore2Upstream
from tests.fakes.world import PROVIDER_KEY, World

if TYPE_CHECKING:
    from tests.fakes.openai_upstream import FakeOpenAI

ENDPOINTS = {
    "images": Endpoint("/images/generations"),
    "image_edits": Endpoint("/images/edits"),
    "speech": Endpoint("/audio/speech"),
    "transcriptions": Endpoint("/audio/transcriptions"),
    "translations": Endpoint("/audio/translations"),
    "moderations": Endpoint("/moderations"),
    "rerank": Endpoint("/rerank"),
}
# US dollars for what each unit's rate pays for: a million tokens or characters, an hour, a
# thousand searches, one picture.
RATES: dict[str, dict[Unit, str]] = {
    "gpt-image-2": {
        Unit.INPUT: "5",
        Unit.INPUT_IMAGE: "8",
        Unit.OUTPUT: "30",
        Unit.OUTPUT_IMAGE: "30",
    },
    "flux": {Unit.IMAGE: "0.04"},
    "tts-1": {Unit.CHARACTER: "15"},
    "gpt-4o-mini-tts": {Unit.INPUT: "0.6", Unit.OUTPUT: "12", Unit.OUTPUT_AUDIO: "12"},
    "whisper-1": {Unit.AUDIO: "0.36"},
    "gpt-4o-transcribe": {Unit.INPUT: "2.5", Unit.INPUT_AUDIO: "6", Unit.OUTPUT: "10"},
    "omni-moderation-latest": {Unit.INPUT: "0", Unit.OUTPUT: "0"},
    "rerank-v3.5": {Unit.RERANK_SEARCH: "2"},
    "jina-reranker-v2": {Unit.INPUT: "0.05"},
}


class PassedWorld(World):
    """A world whose provider is at a fake's address."""

    def __init__(self, fake: FakeOpenAI) -> None:
        self._fake = fake
        self.client = Httpcore2Upstream()
        super().__init__()

    def _completion(self) -> Any:
        self.upstream: Any = self.client
        return super()._completion()

    def _targets(self) -> dict[str, Target]:
        provider = Provider("openai", self._fake.base_url, endpoints=ENDPOINTS)
        target = Target(provider, self._fake.base_url, PROVIDER_KEY, allows_private=True)
        return {"openai": target}

    async def price_all(self) -> None:
        """Give every model its price."""
        for model, texts in RATES.items():
            rates = {unit: Decimal(text) for unit, text in texts.items()}
            row = Price(
                f"openai:{model}",
                rates.pop(Unit.INPUT, None),
                rates.pop(Unit.OUTPUT, None),
                self.now,
                self.now,
                rates=rates,
            )
            await self.storage.directory.prices.put(row)
