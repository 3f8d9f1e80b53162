"""A project never calls as the deployment: not by its role, nor by its identities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import ModelNotFound, VaultClosed
from bursar.domain.models import parse_model
from bursar.services.credentials import Credential
from bursar.services.project_lookup import ProjectLookup
from bursar.services.targets import Targets
from bursar.services.vault_targets import VaultTargets
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.provider_settings import ProviderSettings
from bursar.upstream.targets import addressed, resolve_targets
from tests.fakes.sealed_project import SEALED, SealedProject
from tests.fakes.service_account import PROJECT, SERVICE_ACCOUNT, federation_file, key_file
from tests.fakes.world import World

if TYPE_CHECKING:
    from bursar.domain.upstream import Target

CATALOGUE = load_catalogue()
ROLE = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
DEPLOYMENTS = key_file("the-deployments", project_id="the-deployments-own")


async def target(
    model: str,
    *,
    sealed: str | None = None,
    environ: dict[str, str] | None = None,
    own: ProviderSettings | None = None,
) -> Target:
    """The target of a project with a sealed key of the model's provider, or with none."""
    world, environ = World(), environ or {}
    project = await SealedProject.founded(world.storage, world.clock)
    name = parse_model(model)
    if sealed is not None:
        await project.seal(name.provider, sealed)
    configured = {} if own is None else {name.provider: own}
    targets = Targets(resolve_targets(configured, environ, CATALOGUE))
    lookup = ProjectLookup(world.platform, age_s=0)
    vaults = VaultTargets(lookup, targets, addressed(CATALOGUE, environ), world.clock)
    presented = project.vault.text()
    credential = Credential(presented, project=await project.record(), is_vault_key=True)
    return await vaults.find(credential, project.project_id, name)


@pytest.mark.parametrize("name", ["bedrock", "sagemaker"])
async def test_the_deployments_role_is_not_for_projects(name: str) -> None:
    with pytest.raises(ModelNotFound, match=f"no key of provider '{name}'"):
        await target(f"{name}:m", environ=ROLE, own=ProviderSettings())
    with pytest.raises(ModelNotFound, match=f"no key of provider '{name}'"):
        await target(f"{name}:m", environ=ROLE)


async def test_a_projects_own_key_of_bedrock_goes_to_the_deployments_region() -> None:
    found = await target(
        "bedrock:m", sealed=SEALED, environ=ROLE, own=ProviderSettings("the-deployments")
    )
    assert (found.provider.auth, found.api_key) == ("aws", SEALED)
    assert found.parameters == {"region": "eu-west-1"}


async def test_a_region_that_nobody_knows_is_no_address() -> None:
    with pytest.raises(ModelNotFound, match=r"'bedrock' has no common address"):
        await target("bedrock:m", sealed=SEALED)


async def test_an_identity_of_the_deployments_is_not_for_projects_but_its_address_is() -> None:
    identity = {"resource": "mine", "tenant_id": "t-1", "client_id": "c-1"}
    own = ProviderSettings("the-clients-secret", parameters=identity)
    found = await target("azureopenai:gpt", sealed=SEALED, own=own)
    assert (found.provider.auth, found.api_key) == ("key", SEALED)
    assert found.parameters == {"resource": "mine"}
    with pytest.raises(ModelNotFound, match="no key of provider 'azureopenai'"):
        await target("azureopenai:gpt", own=own)


async def test_a_projects_service_account_calls_in_its_own_project() -> None:
    own = ProviderSettings(DEPLOYMENTS, parameters={"location": "eu"})
    found = await target("vertexai:gemini", sealed=SERVICE_ACCOUNT, own=own)
    assert found.api_key == SERVICE_ACCOUNT.strip()
    assert found.parameters == {"project": PROJECT, "location": "eu"}
    elsewhere = await target("vertexai:gemini", sealed=SERVICE_ACCOUNT)
    assert elsewhere.parameters == {"project": PROJECT, "location": "global"}


async def test_a_credentials_file_of_the_deployments_is_not_for_projects() -> None:
    file = {"credentials_file": "/keys/sa.json", "project": "the-deployments-own"}
    own = ProviderSettings(parameters=file)
    with pytest.raises(ModelNotFound, match="no key of provider 'vertexai'"):
        await target("vertexai:gemini", own=own)
    found = await target("vertexai:gemini", sealed=SERVICE_ACCOUNT, own=own)
    assert "credentials_file" not in found.parameters


@pytest.mark.parametrize(
    ("sealed", "reason"),
    [
        (SEALED, "is not the JSON key file of a service account"),
        (key_file("x", project_id=None), "names no project_id"),
        # It would call Google as the deployment's AWS role.
        (federation_file(), "is not the JSON key file of a service account"),
    ],
)
async def test_a_key_that_is_no_service_accounts_does_not_open_vertex(
    sealed: str, reason: str
) -> None:
    with pytest.raises(VaultClosed, match=reason) as closed:
        await target("vertexai:gemini", sealed=sealed)
    assert SEALED not in closed.value.message


async def test_a_file_is_no_key_of_a_provider_that_wants_it_in_a_header() -> None:
    with pytest.raises(VaultClosed, match="no HTTP header may hold"):
        await target("groq:llama", sealed=SERVICE_ACCOUNT)
