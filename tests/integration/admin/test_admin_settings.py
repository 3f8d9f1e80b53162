"""What decides about requests can be read, and no secret with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bursar.services.platform.rules import PlatformRules
from bursar.services.policy import Policy, UserField
from bursar.settings import Settings
from bursar.upstream.provider_settings import ProviderSettings
from functions.admin.app import create_app
from functions.admin.settings import AdminSettings
from tests.fakes.office import MASTER_KEY, Office
from tests.integration.asgi_client import client_of

if TYPE_CHECKING:
    import httpx2

PROVIDER_KEY = "sk-canary-of-a-provider"
WEAK = Settings(
    master_key=MASTER_KEY,
    allow_private_upstreams=True,
    policy=Policy(allow_unpriced=True, user_field=UserField.ANY, charges_unknown=False),
    platform=PlatformRules(sign_up_open=True),
    providers={"openai": ProviderSettings(api_key=PROVIDER_KEY)},
)


async def settings_of(deployment: Settings) -> httpx2.Response:
    office = Office()
    app = create_app(office.services, office.platform, AdminSettings(deployment=deployment))
    async with client_of(app, authorization=f"Bearer {MASTER_KEY}") as client:
        return await client.get("/v1/settings")


async def test_what_weakens_a_deployment_is_told() -> None:
    told = (await settings_of(WEAK)).json()
    weak = {
        "allow_unpriced": True,
        "user_field": "any",
        "charges_unknown": False,
        "allow_private_upstreams": True,
        "sign_up_open": True,
    }
    assert weak.items() <= told.items()


async def test_the_defaults_are_strict() -> None:
    told = (await settings_of(Settings())).json()
    strict = {
        "allow_unpriced": False,
        "user_field": "own",
        "charges_unknown": True,
        "allow_private_upstreams": False,
        "sign_up_open": False,
    }
    assert strict.items() <= told.items()


async def test_no_secret_is_told() -> None:
    content = (await settings_of(replace(WEAK, master_key_digest="d" * 64))).text
    for secret in (MASTER_KEY, PROVIDER_KEY, "d" * 64):
        assert secret not in content


@pytest.mark.parametrize("ports", ["memory"], indirect=True)
async def test_only_an_administrator_is_told(anybody: httpx2.AsyncClient) -> None:
    assert (await anybody.get("/v1/settings")).status_code == 401
