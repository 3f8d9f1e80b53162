"""Which providers a gateway can call, from whoever knows it.

A gateway on one machine knows it exactly. A deployed one's control plane sees no provider's key;
there, with `--stack`, the names of the parameters that hold the keys tell it, read by the caller's
own AWS identity, without the values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from bursar.cli.failures import NOT_ALLOWED, Failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.cli.options import Session
    from bursar.cli.stack import StackConnection

PATH: Final = "/v1/providers"
_KEYS: Final = ("api_key", "credentials_file")
_NONE: Final[frozenset[str]] = frozenset()


def providers_of(session: Session) -> list[dict[str, Any]]:
    """Every known provider, as the API tells it, with what parameters' names add.

    Raises:
        Failed: the gateway or AWS refuses.
    """
    found: list[dict[str, Any]] = session.ask("GET", PATH)
    path = _parameters_path(session)
    if path is None or any(each["is_configured"] is not None for each in found):
        return found
    fields, roles = _what_is_set(session, path)
    known = {each["name"]: each for each in found}
    own = {name: _own(name) for name in fields if name not in known}
    return [
        _by_role(each) if name in roles else _by_parameters(each, fields.get(name, _NONE), path)
        for name, each in sorted({**known, **own}.items())
    ]


def _parameters_path(session: Session) -> str | None:
    """Where a deployed stack's provider keys are."""
    outputs: Mapping[str, str] = getattr(session.connection, "outputs", {})
    return outputs.get("ProviderKeysPath")


def _what_is_set(session: Session, path: str) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """What parameters there are of each provider, and which are called with the stack's role."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (a stack is there)

    connection = cast("StackConnection", session.connection)
    try:
        names = _parameter_names(connection.session.client("ssm"), path)
        roles = _roles(connection.session.client("cloudformation"), connection.stack)
    except (ClientError, BotoCoreError) as error:
        raise Failed(
            f"The names of the provider keys cannot be read ({error}): you need "
            "ssm:DescribeParameters and cloudformation:DescribeStacks",
            NOT_ALLOWED,
        ) from None
    return _fields_by_provider(names, path), roles


def _parameter_names(client: Any, path: str) -> list[str]:
    filters = [{"Key": "Path", "Option": "Recursive", "Values": [path]}]
    pages = client.get_paginator("describe_parameters").paginate(ParameterFilters=filters)
    return [each["Name"] for page in pages for each in page["Parameters"]]


def _roles(client: Any, stack: str) -> frozenset[str]:
    (found,) = client.describe_stacks(StackName=stack)["Stacks"]
    values = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    return frozenset(name.strip() for name in values.get("RoleProviders", "").split(",") if name)


def _fields_by_provider(names: list[str], path: str) -> dict[str, frozenset[str]]:
    """What parameters there are of each provider."""
    found: dict[str, frozenset[str]] = {}
    for name in names:
        provider, _, field = name.removeprefix(f"{path}/").partition("/")
        found[provider] = found.get(provider, frozenset()) | {field}
    return found


def _own(name: str) -> dict[str, Any]:
    """A server of the administrator's own, of which only the name is known."""
    return {
        "name": name,
        "operations": [],
        "needs_key": False,
        "env_keys": [],
        "env_base": None,
        "host": None,
    }


def _by_role(provider: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **provider,
        "is_configured": True,
        "has_key": False,
        "key_from": "role",
        "key_name": None,
    }


def _by_parameters(
    provider: Mapping[str, Any], fields: frozenset[str], path: str
) -> dict[str, Any]:
    key = next((field for field in _KEYS if field in fields), None)
    is_moved = "api_base" in fields or not fields <= set(_KEYS)
    return {
        **provider,
        "host": None if is_moved else provider["host"],
        "is_configured": key is not None or (bool(fields) and not provider["needs_key"]),
        "has_key": key is not None,
        "key_from": None if key is None else "parameters",
        "key_name": None if key is None else f"{path}/{provider['name']}/{key}",
    }
