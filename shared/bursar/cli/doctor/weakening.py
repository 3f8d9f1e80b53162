"""No setting takes back what the gateway promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.checks import Verdict
from bursar.cli.failures import NOT_FOUND, RefusedByGateway

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bursar.cli.doctor.checks import Context
    from bursar.cli.stack import StackConnection

_PREFIX: Final = "BURSAR_"
# By name: the value that weakens, and what it does.
_WEAK: Final[Mapping[str, tuple[Any, str]]] = {
    "allow_unpriced": (True, "models without a price are served, past every budget"),
    "user_field": ("any", "every key can spend every user's budget"),
    "charges_unknown": (False, "what nobody knows the cost of is free, so the cap may not hold"),
    "allow_private_upstreams": (True, "the gateway calls addresses in its own network"),
    "sign_up_open": (True, "anybody who reaches the API makes an account on the platform"),
}
_FLAGS: Final = {"1": True, "true": True, "yes": True, "on": True}


class Weakening:
    name = "settings"
    proves = "No setting takes back what the gateway promises."
    calls = False

    def run(self, context: Context) -> Verdict:
        try:
            told = context.session.ask("GET", "/v1/settings")
        except RefusedByGateway as refusal:
            if refusal.exit_code != NOT_FOUND:
                raise
            return Verdict.skipped("The gateway does not tell its settings", "Bring it up to date")
        return judge({**told, **(_of_stack(context.stack) if context.stack else {})})


def judge(settings: Mapping[str, Any]) -> Verdict:
    found = list(weaknesses(settings))
    if found:
        return Verdict.failed(
            f"{len(found)} settings weaken what the gateway promises",
            "Take them out and start anew; if you mean them, --skip settings",
            *found,
        )
    return Verdict.passed(f"none of {len(_WEAK)} settings that could weaken the gateway is set")


def weaknesses(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, (value, effect) in _WEAK.items():
        if settings.get(name) == value:
            yield f"{_PREFIX}{name.upper()}={str(value).lower()}: {effect}"


def settings_of(variables: Mapping[str, str]) -> dict[str, Any]:
    """What a function's own variables say of the settings that could weaken it."""
    given = {name: variables.get(_PREFIX + name.upper(), "").strip().lower() for name in _WEAK}
    return {
        name: _FLAGS.get(text, False) if isinstance(_WEAK[name][0], bool) else text
        for name, text in given.items()
        if text
    }


def _of_stack(stack: StackConnection) -> dict[str, Any]:
    """The data plane's: on Lambda it has variables that the control plane does not."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (see `stack`)

    try:
        configuration = stack.session.client("lambda").get_function_configuration(
            FunctionName=stack.outputs["ProxyFunctionName"], Qualifier="live"
        )
    except (ClientError, BotoCoreError):
        return {}
    return settings_of(configuration.get("Environment", {}).get("Variables", {}))
