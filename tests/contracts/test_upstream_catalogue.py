"""Every provider of the catalogue is called over a real socket as its row says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bursar.domain.upstream import Provider, UpstreamRequest
from bursar.upstream.aiohttp_client import AiohttpUpstream
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.targets import ProviderSettings, resolve_targets
from tests.fakes.openai_upstream import FakeOpenAI

if TYPE_CHECKING:
    from collections.abc import Iterator

PATHS = {"chat": "/chat/completions", "embeddings": "/embeddings"}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as started:
        yield started


@pytest.mark.parametrize("provider", load_catalogue().values(), ids=load_catalogue().keys())
async def test_a_provider_gets_its_key_in_its_own_header_at_its_own_path(
    fake: FakeOpenAI, provider: Provider
) -> None:
    settings = ProviderSettings(api_key="sk-test", api_base=f"{fake.origin}/{provider.name}/v1")
    target = resolve_targets({provider.name: settings}, {}, load_catalogue())[provider.name]
    upstream = AiohttpUpstream()
    for endpoint in sorted(provider.endpoints):
        request = UpstreamRequest(
            provider=provider.name,
            url=target.base_url + PATHS[endpoint],
            headers={provider.auth_header: f"{provider.auth_prefix}{target.api_key}"},
            body=b'{"model":"m","input":"x","messages":[]}',
        )
        answer = await upstream.send(request)
        assert answer.status == 200
        assert b'"usage"' in b"".join([chunk async for chunk in answer.chunks()])
        assert fake.last.path == f"/{provider.name}/v1{PATHS[endpoint]}"
        assert fake.last.headers[provider.auth_header].endswith("sk-test")
    await upstream.close()
