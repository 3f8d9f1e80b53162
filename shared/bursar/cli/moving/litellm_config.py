"""LiteLLM's config.yaml: groups of deployments become aliases, their settings what fits of them.

Its format is documented at https://docs.litellm.ai/docs/proxy/configs and config_settings.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.moving.config_files import section, where_from
from bursar.cli.moving.findings import Kind, ProviderNeed, Task
from bursar.cli.moving.litellm_models import model_here
from bursar.cli.moving.reading import listed, usd
from bursar.domain.aliases import RETRIES_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.cli.moving.findings import Findings

_ALIAS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}")
_MAY_BE_SECRET: Final = re.compile(r"^[a-z_]*(key|cred)|[@?]")
_MILLION: Final = 1_000_000
_WEIGHT_MAX: Final = 1_000_000
_RATES: Final = {
    "input_cost_per_token": "input_price_per_million",
    "output_cost_per_token": "output_price_per_million",
    "cache_read_input_token_cost": "cached_input_price_per_million",
}
_USED: Final = frozenset({"model", "api_key", "weight", "order", *_RATES})
# Of the provider, not of the deployment, so said once for all here.
_OF_PROVIDER: Final = (
    "api_base",
    "base_url",
    "api_version",
    "organization",
    "aws_region_name",
    "aws_role_name",
    "aws_access_key_id",
    "aws_secret_access_key",
    "vertex_project",
    "vertex_location",
    "vertex_credentials",
    "region_name",
)
_USED_SETTINGS: Final = {
    "general_settings": {"master_key", "database_url"},
    "router_settings": {"fallbacks", "num_retries", "routing_strategy"},
    "litellm_settings": {"fallbacks", "num_retries", "timezone"},
}
_WHY: Final = {
    "max_budget": "no budget covers the whole gateway: give users, keys or a pool one",
    "budget_duration": "it is of the budget of the whole gateway, which there is none of",
    "drop_params": "what a provider does not take is refused by name, or translated",
    "context_window_fallbacks": "put the larger model among the alias's targets",
    "content_policy_fallbacks": "an alias goes on after failures, not after refusals",
    "default_fallbacks": "give each alias its last target",
    "model_group_alias": "create an alias with the same targets",
    "store_model_in_db": "aliases are always in the table",
}
_ELSE: Final = "there is nothing like it here"


@dataclass(slots=True)
class _Group:
    """What callers know by one name.

    Attributes:
        targets: models with their weights.
        following: those of its fallbacks.
        remarks: what does not come.
    """

    targets: list[tuple[str, int]] = field(default_factory=list)
    following: list[tuple[str, int]] = field(default_factory=list)
    is_ordered: bool = False
    remarks: list[str] = field(default_factory=list)

    @property
    def is_weighted(self) -> bool:
        several = len({target for target, _ in self.targets}) > 1
        return several and not (self.is_ordered or self.following)


def read_config(config: dict[str, Any], found: Findings, known: frozenset[str]) -> None:
    """What a config.yaml says, but for its database.

    Args:
        known: the names of the providers that can be called from here.
    """
    groups: dict[str, _Group] = defaultdict(_Group)
    for entry in sorted(listed(config.get("model_list")), key=_order):
        _deployment(entry if isinstance(entry, dict) else {}, groups, found, known)
    router, settings = section(config, "router_settings"), section(config, "litellm_settings")
    fallbacks = _fallbacks(router) | _fallbacks(settings)
    retries = router.get("num_retries", settings.get("num_retries"))
    for name, group in groups.items():
        group.following = _followed(name, fallbacks, groups)
    for name, group in groups.items():
        _alias(name, group, retries, found, known)
    _strategy(router, groups, found)
    _leave_out(config, found)


def database_url(config: dict[str, Any]) -> Any:
    """Where its database is, as the file says it; None where it does not."""
    return section(config, "general_settings").get("database_url")


def time_zone(config: dict[str, Any]) -> str:
    """Where its budgets' days begin.

    Raises:
        Failed: there is no such time zone.
    """
    zone = str(section(config, "litellm_settings").get("timezone") or "UTC")
    if zone not in available_timezones():
        raise Failed(f"litellm_settings.timezone: {zone!r} is no time zone", WRONG_USAGE)
    return zone


def _order(entry: Any) -> int:
    params = entry.get("litellm_params") if isinstance(entry, dict) else None
    order = params.get("order") if isinstance(params, dict) else None
    return order if isinstance(order, int) else 0


def _deployment(
    entry: dict[str, Any], groups: dict[str, _Group], found: Findings, known: frozenset[str]
) -> None:
    params, info = section(entry, "litellm_params"), section(entry, "model_info")
    name, model = str(entry.get("model_name") or ""), str(params.get("model") or "")
    why_not = _why_not(name, model, known) or _other_account(model, params, found)
    if why_not is not None:
        found.cannot("model", f"{name or '?'} → {model or '?'}", why_not)
        return
    target = str(model_here(model))
    found.models.add(target)
    _prices(target, {**info, **params}, found)
    group = groups[name]
    group.is_ordered = group.is_ordered or "order" in params
    group.targets.append((target, _weight(params)))
    others = sorted(params.keys() - _USED - {*_OF_PROVIDER, "rpm", "tpm"})
    if others:
        group.remarks.append(f"without {', '.join(others)} of {model}")


def _why_not(name: str, model: str, known: frozenset[str]) -> str | None:
    if "*" in name or "*" in model:
        return "no alias stands for many names: callers can say 'provider:model' for any model"
    target = model_here(model)
    if target is None:
        return "nothing says which provider's model it is"
    provider = target.partition(":")[0]
    if provider not in known:
        return f"provider {provider!r} is not known here; see bursar providers list --all"
    return None if _ALIAS.fullmatch(name) else "no alias can have this name"


def _other_account(model: str, params: Mapping[str, Any], found: Findings) -> str | None:
    """Note what a provider needs; why not, if it needs something else for another model already."""
    provider = str(model_here(model)).partition(":")[0]
    fields = tuple(f"{name}={params[name]}" for name in _OF_PROVIDER if _is_said(params, name))
    need = ProviderNeed(provider, where_from(params.get("api_key")), _shown(fields))
    before = found.providers.setdefault(provider, need)
    if before == need:
        return None
    return (
        f"a provider has one address and one key here, and {provider!r} has others already: make "
        f"it one of its own in the configuration, as in {provider}-2 with 'dialect' and 'api_base'"
    )


def _is_said(params: Mapping[str, Any], name: str) -> bool:
    return params.get(name) not in (None, "")


def _shown(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Without what may be secret: keys, and what an address may have beside its host."""
    return tuple(each.partition("=")[0] if _MAY_BE_SECRET.search(each) else each for each in fields)


def _weight(params: Mapping[str, Any]) -> int:
    """LiteLLM draws by `weight`, else by the deployment's own rates."""
    said = (_number(params.get(name)) for name in ("weight", "rpm", "tpm"))
    weight = next((value for value in said if value), Decimal(1))
    return max(1, min(_WEIGHT_MAX, int(weight)))


def _number(value: Any) -> Decimal | None:
    """A number; YAML takes one without a point, as in 1e-05, for a text."""
    if value is None or isinstance(value, bool):
        return None
    try:
        return Decimal(str(value))
    except DecimalException:
        return None


def _prices(target: str, said: Mapping[str, Any], found: Findings) -> None:
    rates = {
        here: usd(rate * _MILLION)
        for there, here in _RATES.items()
        if (rate := _number(said.get(there))) is not None
    }
    if {"input_price_per_million", "output_price_per_million"} <= rates.keys():
        found.add(Kind.PRICE, target, {"model_key": target, **rates})
    elif rates:
        found.cannot("price", target, "a price needs both input_ and output_cost_per_token")
    others = sorted(name for name in said if "cost_per" in name and name not in _RATES)
    if others:
        found.cannot("price", target, f"without {', '.join(others)}: see bursar prices set --rate")


def _fallbacks(settings: dict[str, Any]) -> dict[str, list[str]]:
    return {
        str(name): [str(each) for each in listed(names)]
        for row in listed(settings.get("fallbacks"))
        if isinstance(row, dict)
        for name, names in row.items()
    }


def _followed(
    name: str, fallbacks: dict[str, list[str]], groups: Mapping[str, _Group]
) -> list[tuple[str, int]]:
    return [
        target
        for follower in fallbacks.get(name, [])
        for target in (groups[follower].targets if follower in groups else [])
    ]


def _alias(name: str, group: _Group, retries: Any, found: Findings, known: frozenset[str]) -> None:
    targets = _weights(group)
    prefix, _, rest = name.replace("/", ":", 1).partition(":")
    if rest and prefix in known:
        if list(targets) == [f"{prefix}:{rest}"]:
            found.skip("alias", name, "callers can name the model so without an alias")
        else:
            found.cannot("alias", name, "a name that begins with a provider's is a model's here")
        return
    is_weighted = group.is_weighted
    body: dict[str, Any] = {
        "name": name.replace("/", ":", 1),
        "targets": [
            {"model": target, "weight": weight if is_weighted else 1}
            for target, weight in targets.items()
        ],
        "strategy": "weighted" if is_weighted else "ordered",
    }
    if isinstance(retries, int):
        body["retries"] = max(0, min(RETRIES_MAX, retries))
    remarks = list(group.remarks)
    if group.following and len(group.targets) > 1:
        remarks.append("in order, not by weight, because fallbacks come last")
    found.add(Kind.ALIAS, body["name"], body, "; ".join(remarks))


def _weights(group: _Group) -> dict[str, int]:
    """Each model once: deployments of the same model are one here."""
    weights: dict[str, int] = {}
    for target, weight in (*group.targets, *group.following):
        weights[target] = weights.get(target, 0) + weight
    return weights


def _strategy(router: dict[str, Any], groups: Mapping[str, _Group], found: Findings) -> None:
    strategy = router.get("routing_strategy", "simple-shuffle")
    if strategy != "simple-shuffle" and any(len(each.targets) > 1 for each in groups.values()):
        found.cannot("setting", "router_settings.routing_strategy", f"{strategy}: by weight here")


def _leave_out(config: dict[str, Any], found: Findings) -> None:
    """Name every setting that was not used, and why."""
    for part, used in _USED_SETTINGS.items():
        for name in section(config, part).keys() - used:
            found.cannot("setting", f"{part}.{name}", _WHY.get(name, _ELSE))
    for name in config.keys() - {"model_list", *_USED_SETTINGS}:
        why = "variables are the deployment's" if name == "environment_variables" else _ELSE
        found.cannot("setting", name, why)
    if section(config, "general_settings").get("master_key"):
        what = "The master key is left out: start this gateway with the same one, or with another"
        command = "read -rs BURSAR_MASTER_KEY && export BURSAR_MASTER_KEY"
        found.tasks.append(Task(what, command))
