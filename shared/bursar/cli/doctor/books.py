"""What the gateway's books say of the last month, read once for all checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.trials import MOCK
from bursar.cli.listing import cursor_pages, pages
from bursar.cli.moments import as_sent
from bursar.cli.options import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DAYS: Final = 30
_RECORDS_MAX: Final = 10_000
_OWN: Final = f"{MOCK}:doctor-"


@dataclass(frozen=True)
class Books:
    """Usage, and the models that somebody uses or may use."""

    session: Session

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """The newest usage records of the last 30 days, 10,000 at most, without these checks'."""
        start = as_sent(datetime.now(UTC) - timedelta(days=_DAYS))
        found = cursor_pages(self.session, "/v1/usage", _RECORDS_MAX, start=start)
        return [record for record in found if not str(_model_of(record)).startswith(_OWN)]

    @property
    def about(self) -> str:
        """How much was read."""
        count = len(self.records)
        most = "newest " if count >= _RECORDS_MAX else ""
        return f"the {most}{count:,} requests of {_DAYS} days"

    @cached_property
    def models(self) -> Mapping[str, str]:
        """The models in use by name, with who uses them."""
        found: dict[str, str] = {}
        for model, user in (*self._used(), *self._aliased(), *self._allowed()):
            found.setdefault(model, user)
        return found

    @cached_property
    def _aliases(self) -> list[dict[str, Any]]:
        return list(pages(self.session, "/v1/aliases"))

    def _used(self) -> Iterator[tuple[str, str]]:
        # A refusal says what somebody wanted, and no provider may have such a model.
        served = (record for record in self.records if record["cost"] or record["total_tokens"])
        for record in served:
            model = _model_of(record)
            if model is not None:
                yield model, "requests"

    def _aliased(self) -> Iterator[tuple[str, str]]:
        for alias in self._aliases:
            for target in alias["targets"]:
                yield target["model"], f"the alias {alias['name']}"

    def _allowed(self) -> Iterator[tuple[str, str]]:
        """Those that allow-lists name; what a pattern stands for nobody knows."""
        names = {alias["name"] for alias in self._aliases}
        for kind, identifier in (("keys", "id"), ("users", "user_id")):
            for holder in pages(self.session, f"/v1/{kind}"):
                for model in holder["allowed_models"] or ():
                    is_model = not {"*", "?"} & set(model) and model not in names
                    if is_model and not model.startswith(_OWN):
                        yield (
                            model.replace("/", ":", 1) if ":" not in model else model,
                            (f"the allow-list of {kind.removesuffix('s')} {holder[identifier]}"),
                        )


def _model_of(record: Mapping[str, Any]) -> str | None:
    model, provider = record["model"], record["provider"]
    return f"{provider}:{model}" if model and provider else None
