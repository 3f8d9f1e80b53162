"""A project as its administrator made it, and a client that calls providers itself."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from bursar.domain.pricing import Price
from bursar.domain.projects import (
    Client,
    Project,
    ProjectBudget,
    ProviderKey,
    SpendPeriod,
    budget_slot,
    project_user_id,
)
from bursar.domain.usage import UsageFilter, UsageRecord
from bursar.domain.users import User
from bursar.vault import PrivateKey, open_v1, seal_v1
from tests.fakes.office import Office
from tests.integration.asgi_client import client_of

if TYPE_CHECKING:
    import httpx2

    from bursar.domain.holds import Balance

PROVIDER_KEY = "sk-canary-of-direct-mode"
MODEL = "gpt-4o-mini"


@dataclass
class Direct:
    """One project with a sealed key of OpenAI's, a default client, and a price."""

    office: Office
    app: FastAPI
    project_id: str
    vault_key: PrivateKey
    key_id: str
    client_id: str

    async def token(self, vault_key: PrivateKey | None = None) -> str:
        """Prove that one can open the vault."""
        key = vault_key or self.vault_key
        async with client_of(self.app) as anybody:
            body = {"encryption_key": str(key.public)}
            sealed = (await anybody.post("/api/v1/auth/", json=body)).json()
            solved = open_v1(sealed["encrypted_challenge"], key)
            answer = await anybody.post("/api/v1/auth/token", json={"solved_challenge": solved})
        token: str = answer.json()["access_token"]
        return token

    async def client(self) -> httpx2.AsyncClient:
        return client_of(self.app, authorization=f"Bearer {await self.token()}")

    async def budget(
        self,
        limit: str,
        period: SpendPeriod = SpendPeriod.DAILY,
        *,
        client_id: str | None = None,
    ) -> ProjectBudget:
        now = self.office.now
        slot = budget_slot(client_id, period)
        row = ProjectBudget(
            slot, str(uuid.uuid4()), self.project_id, period, Decimal(limit), now, now, client_id
        )
        await self.office.platform.platform.budgets(self.project_id).put(row)
        return row

    async def records(self) -> list[UsageRecord]:
        wanted = UsageFilter(user_id=project_user_id(self.project_id))
        return list((await self.office.services.usage_log.page(wanted, limit=1000)).records)

    async def balances(self, client_id: str | None = None) -> list[Balance]:
        """Of every account that the project, and a client of its, spends from."""
        limits = await self.office.platform.spending.limits(self.project_id, client_id)
        accounts = [limit.account for limit in limits]
        found = await self.office.services.ledger.balances(accounts)
        return [found[account] for account in accounts if account in found]

    def event(self, **fields: Any) -> dict[str, Any]:
        """What a client reports: 11 tokens in and 7 out, for 25 dollars."""
        return {
            "id": str(uuid.uuid4()),
            "provider": "openai",
            "model": MODEL,
            "provider_key_id": self.key_id,
            "data": {"input_tokens": "11", "output_tokens": "7"},
        } | fields


COST = Decimal(25)


async def direct_project(office: Office, app: FastAPI) -> Direct:
    """Make a project straight in the store."""
    platform, now = office.platform.platform, office.now
    key, project_id = PrivateKey.generate(), str(uuid.uuid4())
    public = str(key.public)
    client = Client(str(uuid.uuid4()), project_id, "web", now, now)
    project = Project(
        project_id,
        "web",
        now,
        now,
        encryption_key=public,
        default_client_id=client.client_id,
    )
    sealed = seal_v1(PROVIDER_KEY, key.public)
    provider_key = ProviderKey(str(uuid.uuid4()), project_id, "openai", sealed, now, public)
    user = User(project_user_id(project_id), now, now, now)
    million = Decimal(1_000_000)
    price = Price(f"openai:{MODEL}", million, 2 * million, now, now)
    await office.services.directory.users.put(user)
    await office.services.directory.prices.put(price)
    await platform.projects.put(project)
    await platform.clients(project_id).put(client)
    await platform.provider_keys(project_id).put(provider_key)
    await platform.links.claim("vault", public, project_id)
    key_id = provider_key.provider_key_id
    return Direct(office, app, project_id, key, key_id, client.client_id)
