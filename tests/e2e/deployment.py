"""A deployment under test: a table of its own, a fake provider, and gateways that join the two."""

from __future__ import annotations

import contextlib
import json
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.e2e.books import Account, Books
from tests.e2e.gateway_process import MASTER_KEY, GatewayProcess, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.anthropic_upstream import FakeAnthropic
    from tests.fakes.openai_upstream import FakeOpenAI

PROVIDER_KEY = "sk-canary-provider-key-of-the-e2e-suite"
MODEL = "openai:fake"
INPUT_USD_PER_MILLION = Decimal("2.5")
OUTPUT_USD_PER_MILLION = Decimal(10)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with a virtual key."""

    user_id: str
    key_id: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


class Deployment:
    """Gateways on one engine and one table, and what an administrator does there.

    Args:
        folder: for settings and logs.
        engine: the DynamoDB endpoint.
        upstream: who serves OpenAI's dialects, as `openai` and, chat alone, as `cerebras`.
        anthropic: who serves Anthropic's, if any.
    """

    def __init__(
        self,
        folder: Path,
        engine: str,
        upstream: FakeOpenAI,
        anthropic: FakeAnthropic | None = None,
    ) -> None:
        self.folder = folder
        self.upstream = upstream
        self.anthropic = anthropic
        self.table = f"e2e-{uuid.uuid4().hex}"
        self.books = Books(engine, self.table)
        self._engine = engine
        self._priced: set[str] = set()
        self._processes: list[GatewayProcess] = []

    @property
    def gateway(self) -> GatewayProcess:
        """The one that administers: the newest that runs."""
        return next(one for one in reversed(self._processes) if one.is_running)

    def process(self, **settings: str) -> GatewayProcess:
        """A gateway that is not started yet; settings are variables without their prefix."""
        folder = self.folder / f"gateway-{len(self._processes)}"
        environ = {
            "DYNAMODB_ENDPOINT": self._engine,
            "BURSAR_TABLE": self.table,
            "BURSAR_MASTER_KEY": MASTER_KEY,
            "BURSAR_CONFIG": str(self._config()),
            "BURSAR_BOOTSTRAP_API_KEY": "false",
            **{f"BURSAR_{name.upper()}": value for name, value in settings.items()},
        }
        gateway = GatewayProcess(folder, environ)
        self._processes.append(gateway)
        return gateway

    @contextlib.contextmanager
    def running(self, **settings: str) -> Iterator[GatewayProcess]:
        with running(self.process(**settings)) as gateway:
            yield gateway

    def _config(self) -> Path:
        """The provider and a price, in the seed gateway's own format."""
        path = self.folder / "config.yml"
        price = {
            "input_price_per_million": float(INPUT_USD_PER_MILLION),
            "output_price_per_million": float(OUTPUT_USD_PER_MILLION),
        }
        settings = {"providers": self._providers(), "pricing": {MODEL: price}}
        path.write_text(json.dumps(settings))  # JSON is YAML
        return path

    def _providers(self) -> dict[str, dict[str, str]]:
        bases = {"openai": self.upstream.base_url}
        if self.anthropic is not None:
            bases |= {"anthropic": self.anthropic.base_url, "cerebras": self.upstream.base_url}
        return {name: {"api_key": PROVIDER_KEY, "api_base": base} for name, base in bases.items()}

    def model(self, provider: str, words: str = "fake", **more: Any) -> str:
        """A priced model of a provider whose name says how it behaves; its full name."""
        name = f"{provider}:{words}"
        if name not in self._priced:
            rates = {"input_": str(INPUT_USD_PER_MILLION), "output": str(OUTPUT_USD_PER_MILLION)}
            self.price(name, **rates, **more)
            self._priced.add(name)
        return name

    def price(self, model: str, *, output: str, input_: str = "0", **more: Any) -> None:
        """Price a model, in dollars a million tokens."""
        row = {"input_price_per_million": input_, "output_price_per_million": output, **more}
        self.gateway.admin("POST", "/v1/pricing", {"model_key": model, **row})

    def budget(self, amount_usd: Decimal | str, **fields: Any) -> str:
        """Make a budget; its id."""
        body = {"max_budget": str(amount_usd), **fields}
        budget: str = self.gateway.admin("POST", "/v1/budgets", body)["budget_id"]
        return budget

    def holder(
        self,
        budget_usd: Decimal | str | None = None,
        *,
        user: dict[str, Any] | None = None,
        key: dict[str, Any] | None = None,
    ) -> Holder:
        """Make a user, with a budget of their own if one is given, and a key.

        Args:
            user: more fields of the user.
            key: more fields of the key.
        """
        user_id = f"user-{uuid.uuid4().hex[:12]}"
        fields = dict(user or {})
        if budget_usd is not None:
            fields["budget_id"] = self.budget(budget_usd)
        self.gateway.admin("POST", "/v1/users", {"user_id": user_id, **fields})
        return self.key_of(user_id, **(key or {}))

    def key_of(self, user_id: str, **fields: Any) -> Holder:
        """Issue another key to a user."""
        issued = self.gateway.admin("POST", "/v1/keys", {"user_id": user_id, **fields})
        return Holder(user_id, issued["id"], issued["key"])

    def usage(self, holder: Holder) -> list[dict[str, Any]]:
        """A user's usage as the management API tells it, newest first."""
        rows: list[dict[str, Any]] = self.gateway.admin("GET", f"/v1/users/{holder.user_id}/usage")
        return rows

    def account(self, holder: Holder) -> Account:
        return self.books.account(f"user/{holder.user_id}")

    def check_closed(self, holder: Holder) -> None:
        """No hold is left, and the account is the sum of the records, to the last decimal."""
        account = self.account(holder)
        assert account.holds == ()
        assert account.committed_usd == self.books.cost_usd(holder.user_id)
