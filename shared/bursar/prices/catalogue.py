"""The compiled catalogue, of which a process reads the providers that it is asked for."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bursar.prices.matching import row_of
from bursar.prices.rows import price_of_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bursar.domain.models import ModelName
    from bursar.domain.pricing import Price

_DATA = Path(__file__).with_name("data")


class CompiledCatalogue:
    """The port is `PriceCatalogue`. A provider is priced by its own rows or not at all."""

    def __init__(self, folder: Path = _DATA) -> None:
        self._folder = folder

    @property
    def date(self) -> str:
        """The day that it was compiled on, YYYY-MM-DD."""
        date: str = _index(self._folder)["date"]
        return date

    def price(self, name: ModelName, now: datetime) -> Price | None:
        row = self.row(name)
        if row is None or "prices" not in row:
            return None
        return price_of_row(row, name.provider, self.date, now, name.model)

    def why_not(self, name: ModelName) -> str | None:
        """Why the catalogue has no price for a model; None where it has one."""
        if name.provider not in _index(self._folder)["providers"]:
            return f"the catalogue has no provider '{name.provider}'"
        row = self.row(name)
        if row is None:
            return f"the catalogue does not know '{name.model}' of '{name.provider}'"
        return row.get("left_out")

    def row(self, name: ModelName) -> Mapping[str, Any] | None:
        """What is written of a model, rates or the reason why there are none."""
        entry = _index(self._folder)["providers"].get(name.provider)
        if entry is None:
            return None
        model, shard = name.model, entry.get("shard")
        if shard is None:
            model, _, backend = model.rpartition(entry["separator"])
            shard = entry["backends"].get(backend)
        model = model.removeprefix(entry.get("prefix", ""))
        row = None if shard is None or not model else row_of(_shard(self._folder, shard), model)
        if row is None or name.provider not in row.get("only", (name.provider,)):
            return None
        return row

    def models(self, provider: str) -> Sequence[str]:
        """The names of a provider's priced models."""
        entry = _index(self._folder)["providers"].get(provider)
        if entry is None:
            return ()
        if "shard" in entry:
            return self._models(entry["shard"], provider, entry.get("prefix", ""), "")
        ends = {f"{entry['separator']}{name}": shard for name, shard in entry["backends"].items()}
        return [
            model for end, shard in ends.items() for model in self._models(shard, provider, "", end)
        ]

    def _models(self, shard: str, provider: str, prefix: str, suffix: str) -> list[str]:
        content = _shard(self._folder, shard)
        return [
            f"{prefix}{row['name']}{suffix}"
            for row in content["rows"]
            if "prices" in row and "name" in row and provider in row.get("only", (provider,))
        ]


@cache
def _index(folder: Path) -> Mapping[str, Any]:
    return _read(folder / "index.json")


@cache
def _shard(folder: Path, name: str) -> Mapping[str, Any]:
    return _read(folder / f"{name}.json")


def _read(file: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(file.read_bytes())
    return content
