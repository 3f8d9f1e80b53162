"""What an import leaves to the administrator: provider keys and prices, each with a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.cli.failures import RefusedByGateway
from bursar.cli.moving.findings import Kind, Task
from bursar.cli.reachable import providers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.cli.moving.findings import Findings, ProviderNeed
    from bursar.cli.options import Session

_MODELS_MAX: Final = 200


def provider_tasks(
    session: Session, found: Findings, known: Sequence[Mapping[str, Any]]
) -> list[Task]:
    """Which providers' keys must be put where; those that can be called already are left out."""
    here = {each["name"]: each for each in known}
    path = getattr(session.connection, "outputs", {}).get("ProviderKeysPath")
    return [
        _provider_task(need, here.get(need.name, {}), path)
        for need in found.providers.values()
        if not here.get(need.name, {}).get("is_configured")
    ]


def price_tasks(session: Session, found: Findings) -> list[Task]:
    """Which models that are used have no price, so that they would not be served."""
    tasks = []
    models = sorted(found.models - found.names(Kind.PRICE))
    for model in models[:_MODELS_MAX]:
        try:
            effective = session.ask("GET", "/v1/pricing/effective", model=model)
        except RefusedByGateway:
            effective = {"price": None, "reason": "it is no model's name here"}
        if effective["price"] is None:
            tasks.append(
                Task(
                    f"{model} is in use and has no price: {effective['reason']}",
                    f"bursar prices set {model} --in USD --out USD",
                )
            )
    if len(models) > _MODELS_MAX:
        rest = len(models) - _MODELS_MAX
        tasks.append(
            Task(f"{rest} more models were not looked up", "bursar prices effective MODEL")
        )
    return tasks


def known_providers(session: Session) -> list[dict[str, Any]]:
    return providers_of(session)


def _provider_task(need: ProviderNeed, here: Mapping[str, Any], path: str | None) -> Task:
    name = need.name
    where = "" if need.key_from is None else f"; its key is in {need.key_from}"
    besides = f" It has {', '.join(need.fields)} there." if need.fields else ""
    if not here:
        what = f"Provider {name} is not known here: configure it as a server of your own{where}."
        return Task(f"{what}{besides}", "see infra/PROVIDERS.md, Settings")
    what = f"Provider {name} has no key here{where}.{besides}"
    if not here.get("needs_key", True) and need.key_from is None:
        what = f"Provider {name} is not configured here.{besides}"
    return Task(what, _command(name, here, path))


def _command(name: str, here: Mapping[str, Any], path: str | None) -> str:
    if path is not None:
        return (
            "read -rs KEY && aws ssm put-parameter --type SecureString --overwrite "
            f'--name {path}/{name}/api_key --value file:///dev/stdin <<< "$KEY"'
        )
    variable = next(iter(here.get("env_keys") or ()), None)
    if variable is None:
        return f"put it under providers.{name} of the file that BURSAR_CONFIG names"
    return f"read -rs {variable} && export {variable}, and start the gateway again"
