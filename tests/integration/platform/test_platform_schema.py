"""What the OpenAPI document says of the platform's routes is so, for people and for projects."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import settings

from bursar.vault import PrivateKey
from functions.admin.app import create_app
from tests.fakes.office import MASTER_KEY, Office
from tests.integration.platform.direct import Direct, direct_project
from tests.integration.platform.rig import sign_in

if TYPE_CHECKING:
    from schemathesis import AuthContext, Case

_CONFIG = schemathesis.Config.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {
                # No generator solves a challenge, and some rules have no JSON Schema.
                "expected-statuses": ["2xx", "400", "401", "402", "403", "404", "409", "422"]
            }
        },
        "operations": [
            {
                # One address may be a provider's or a key's: it has the methods of both.
                "include-path-regex": "^/api/v1/provider-keys/{[a-z_]+}$",
                "checks": {"allow_header_conformance": {"enabled": False}},
            },
            {
                # Little is asked of an event: a refusal would cost a published client's caller
                # the answer that it has.
                "include-path": "/api/v1/usage-events/",
                "checks": {"negative_data_rejection": {"enabled": False}},
            },
        ],
    }
)
_OFFICE = Office()
_APP = create_app(_OFFICE.services, _OFFICE.platform)

# What the configuration includes would be added to what is included here, so the rest is excluded.
schema = schemathesis.openapi.from_asgi("/openapi.json", _APP, config=_CONFIG).exclude(
    path_regex="^/(?!api/v1/)"
)


@schema.auth(refresh_interval=None)
class _Credential:
    """What each route asks for, of somebody who is there whatever was deleted before."""

    def get(self, case: Case[Any], _: AuthContext) -> str:
        alternatives = case.operation.definition.raw.get("security", [{}])
        schemes = {name for alternative in alternatives for name in alternative}
        if "Person" in schemes:
            return asyncio.run(_owner(case))
        return asyncio.run(_direct_client()) if "Project" in schemes else MASTER_KEY

    def set(self, case: Case[Any], data: str, _: AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


async def _owner(case: Case[Any]) -> str:
    """A person's token; a project that the request is about is theirs, unless none can be."""
    direct = await direct_project(_OFFICE, _APP)
    signed_in = await sign_in(_APP, _OFFICE, direct.project_id, PrivateKey.generate())
    await _OFFICE.platform.members.found(direct.project_id, signed_in.person)
    if case.meta is None or case.meta.generation.mode.is_positive:
        _make_real(case.path_parameters, direct)
    return signed_in.client.headers["authorization"].removeprefix("Bearer ")


def _make_real(path_parameters: dict[str, Any], direct: Direct) -> None:
    real = {"project_id": direct.project_id, "client_id": direct.client_id}
    real["provider_key_id"] = direct.key_id
    path_parameters |= {name: real[name] for name in path_parameters.keys() & real.keys()}


async def _direct_client() -> str:
    return await (await direct_project(_OFFICE, _APP)).token()


@schema.parametrize()
@settings(max_examples=10, deadline=None, derandomize=True)
def test_answers_are_as_documented(case: Case[Any]) -> None:
    _OFFICE.wait(seconds=_OFFICE.platform.rules.login_lock_s)
    case.call_and_validate()
