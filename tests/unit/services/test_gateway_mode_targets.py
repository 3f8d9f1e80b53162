"""Where a project's requests go, and what of the deployment's goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import ModelNotFound, VaultClosed
from bursar.domain.models import parse_model
from bursar.domain.upstream import Provider, Target
from bursar.services.credentials import Credential
from bursar.services.project_lookup import ProjectLookup
from bursar.services.targets import Targets
from bursar.services.vault_targets import VaultTargets
from bursar.upstream.mock import MOCK_TARGET
from tests.fakes.sealed_project import SEALED, SealedProject
from tests.fakes.world import CATALOGUE, World

if TYPE_CHECKING:
    from collections.abc import Mapping

OPENAI = Provider("openai", "https://api.example/v1")
OWN_SERVER = Provider("mine", None, needs_key=False)


class Gateway:
    """The targets of a deployment, and a project that asks for them."""

    def __init__(self, world: World, project: SealedProject, *own: Target) -> None:
        by_provider = {target.provider.name: target for target in own}
        lookup = ProjectLookup(world.platform, age_s=0)
        self._project = project
        self.vaults = VaultTargets(lookup, Targets(by_provider), CATALOGUE, world.clock)

    async def target(self, model: str) -> Target:
        project = self._project
        presented = project.vault.text()
        credential = Credential(presented, project=await project.record(), is_vault_key=True)
        return await self.vaults.find(credential, project.project_id, parse_model(model))


async def _gateway(*own: Target, sealed: Mapping[str, str] | None = None) -> Gateway:
    world = World()
    project = await SealedProject.founded(world.storage, world.clock)
    for provider, text in (sealed or {}).items():
        if text:
            await project.seal(provider, text)
        else:
            await project.put_sealed(provider, "")
    return Gateway(world, project, *own)


async def test_the_deployments_address_and_patience_count_and_its_credentials_do_not() -> None:
    own = Target(OPENAI, "https://proxy.example/v1", "sk-own", {"x-team": "secret"}, timeout_s=7)
    target = await (await _gateway(own, sealed={"openai": SEALED})).target("openai:gpt")
    assert (target.base_url, target.timeout_s) == ("https://proxy.example/v1", 7)
    assert (target.api_key, target.headers) == (SEALED, {})


async def test_a_provider_that_the_deployment_does_not_use_is_reached_where_everybody_does() -> (
    None
):
    target = await (await _gateway(sealed={"groq": SEALED})).target("groq:llama")
    assert target.base_url == "https://groq.example/v1"


async def test_a_projects_keys_do_not_fall_back_to_the_deployments() -> None:
    own = Target(OPENAI, "https://api.example/v1", "sk-own")
    with pytest.raises(ModelNotFound, match=r"no key of provider 'openai'.*not for projects"):
        await (await _gateway(own)).target("openai:gpt")


@pytest.mark.parametrize(
    "own", [MOCK_TARGET, Target(OWN_SERVER, "http://10.0.0.5/v1")], ids=["mock", "own"]
)
async def test_a_configured_server_without_keys_is_open_to_projects(own: Target) -> None:
    target = await (await _gateway(own)).target(f"{own.provider.name}:llama")
    assert (target.base_url, target.api_key) == (own.base_url, None)
    assert target.provider_key_id is None


async def test_a_server_that_the_administrator_gave_a_key_is_not_open_to_projects() -> None:
    own = Target(OWN_SERVER, "http://10.0.0.5/v1", "the-administrators")
    with pytest.raises(ModelNotFound, match="no key of provider 'mine'"):
        await (await _gateway(own)).target("mine:llama")
    target = await (await _gateway(own, sealed={"mine": SEALED})).target("mine:llama")
    assert target.api_key == SEALED


async def test_an_empty_text_does_for_a_provider_that_needs_no_key_and_for_no_other() -> None:
    own = Target(OWN_SERVER, "http://10.0.0.5/v1")
    target = await (await _gateway(own, sealed={"mine": ""})).target("mine:llama")
    assert target.api_key is None
    assert target.provider_key_id is not None
    with pytest.raises(VaultClosed, match="'groq' cannot be opened"):
        await (await _gateway(sealed={"groq": ""})).target("groq:llama")


async def test_a_self_hosted_server_is_not_looked_for_on_the_gateways_own_machine() -> None:
    with pytest.raises(ModelNotFound, match=r"'ollama' has no common address.*OLLAMA_HOST"):
        await (await _gateway(sealed={"ollama": SEALED})).target("ollama:llama")


async def test_a_provider_without_a_common_address_says_where_its_address_is_set() -> None:
    with pytest.raises(ModelNotFound, match=r"'azure' has no common address.*AZURE_ENDPOINT"):
        await (await _gateway(sealed={"azure": SEALED})).target("azure:gpt")


async def test_a_provider_of_another_dialect_is_refused_even_with_a_key() -> None:
    with pytest.raises(ModelNotFound, match="does not speak with provider 'anthropic'"):
        await (await _gateway(sealed={"anthropic": SEALED})).target("anthropic:claude")


async def test_of_two_keys_of_a_provider_the_newer_one_is_used() -> None:
    world = World()
    project = await SealedProject.founded(world.storage, world.clock)
    await project.seal("groq", "the-older-key")
    world.pass_time(seconds=1)
    await project.seal("groq", "the-newer-key")
    world.pass_time(seconds=-2)
    await project.seal("groq", "the-oldest-key")
    assert (await Gateway(world, project).target("groq:llama")).api_key == "the-newer-key"


async def test_a_projects_providers_are_those_with_a_key_and_those_that_need_none() -> None:
    own = Target(OPENAI, "https://api.example/v1", "sk-own")
    sealed = {"groq": SEALED, "azure": SEALED, "anthropic": SEALED}
    world = World()
    project = await SealedProject.founded(world.storage, world.clock)
    for provider, text in sealed.items():
        await project.seal(provider, text)
    vaults = Gateway(world, project, own, MOCK_TARGET).vaults
    assert await vaults.providers(project.project_id) == {"groq", "mock"}
