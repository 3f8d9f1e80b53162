"""Settings: environment variables over a YAML file in the seed gateway's format.

A wrong setting stops the start; the error names it and says how to mend it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bursar.domain.aliases import RETRIES_MAX
from bursar.domain.errors import WrongSetting
from bursar.domain.money import parse_usd
from bursar.services.platform.rules import PlatformRules
from bursar.services.policy import Policy, UserField
from bursar.settings_aliases import ConfiguredAlias, read_aliases
from bursar.settings_file import read_file
from bursar.settings_providers import read_providers
from bursar.settings_values import (
    at_most,
    count,
    flag,
    listed,
    mapping,
    one_of,
    parse,
    port,
    seconds,
    text,
)
from bursar.upstream.provider_settings import ProviderSettings

PREFIX = "BURSAR_"


@dataclass(frozen=True, slots=True)
class ConfiguredPrice:
    """A price row of the file, in US dollars a million tokens."""

    input_usd_per_million: Decimal
    output_usd_per_million: Decimal


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a process is told when it starts.

    Attributes:
        master_key: its text; or `master_key_digest`, its SHA-256 in hex, which is enough.
        mock: offer the `mock` provider; None offers it only where no other is configured.
        bootstrap_api_key: make a first virtual key where there is none.
        sweep_interval_s: how often a local run does the schedule's work.
        request_bytes_max: longest body accepted.
        provider_keys_path: where in Systems Manager the provider keys are, as parameters.
        role_providers: those that are called with the process's own AWS role, without any key.
        allow_private_upstreams: every provider may stand in a private network.
    """

    master_key: str | None = field(default=None, repr=False)
    master_key_digest: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = Path(".bursar")
    table: str = "bursar"
    log_level: str = "INFO"
    mock: bool | None = None
    public_prices: bool = True
    bootstrap_api_key: bool = True
    cors_allow_origins: tuple[str, ...] = ()
    sweep_interval_s: float = 60.0
    request_bytes_max: int = 10 * 1024 * 1024
    provider_keys_path: str | None = None
    role_providers: tuple[str, ...] = ()
    allow_private_upstreams: bool = False
    policy: Policy = field(default_factory=Policy)
    platform: PlatformRules = field(default_factory=PlatformRules)
    providers: Mapping[str, ProviderSettings] = field(default_factory=dict)
    pricing: Mapping[str, ConfiguredPrice] = field(default_factory=dict)
    aliases: tuple[ConfiguredAlias, ...] = ()


# What a variable, or the same name in lower case in the file, is read as.
_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "master_key": text,
    "master_key_digest": text,
    "host": text,
    "port": port,
    "data_dir": lambda value: Path(text(value)).expanduser(),
    "table": text,
    "log_level": one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    "mock": flag,
    "public_prices": flag,
    "bootstrap_api_key": flag,
    "cors_allow_origins": listed,
    "sweep_interval_s": seconds,
    "request_bytes_max": count,
    "provider_keys_path": text,
    "role_providers": listed,
    "allow_private_upstreams": flag,
}
_POLICY: Mapping[str, Callable[[Any], Any]] = {
    "allow_unpriced": flag,
    "use_price_catalogue": flag,
    "user_field": lambda value: UserField(one_of(*UserField)(value)),
    "rate_limit_rpm": count,
    "output_tokens_default": count,
    "useful_output_tokens": count,
    "request_timeout_s": seconds,
    "hold_margin_s": seconds,
    "charges_unknown": flag,
    "directory_age_s": seconds,
    "retries": at_most(RETRIES_MAX),
}
_PLATFORM: Mapping[str, Callable[[Any], Any]] = {
    "sign_up_open": flag,
    "challenge_rpm": count,
    "login_failures_max": count,
    "login_lock_s": count,
    "lease_s_max": count,
    "lease_report_s": count,
}
_KNOWN = frozenset((*_PLAIN, *_POLICY, *_PLATFORM))
_READ_ELSEWHERE = frozenset({"config"})
# Whoever administers with `bursar` and exports these can start a gateway from the same shell.
_OF_THE_COMMAND = frozenset(
    {
        "api_key",
        "keyring",
        "new_password",
        "output",
        "password",
        "profile",
        "recovery_key",
        "stack",
        "url",
    }
)


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the environment, and the file that `BURSAR_CONFIG` names.

    Raises:
        WrongSetting: a value is not what its name needs, or a name is unknown.
    """
    from_file = read_file(environ.get(PREFIX + "CONFIG"), environ)
    given = {**_known(from_file), **_from_environment(environ)}
    plain = {name: parse(given[name], _PLAIN[name]) for name in _PLAIN if name in given}
    policy = {name: parse(given[name], _POLICY[name]) for name in _POLICY if name in given}
    rules = {name: parse(given[name], _PLATFORM[name]) for name in _PLATFORM if name in given}
    return Settings(
        **plain,
        policy=Policy(**policy),
        platform=PlatformRules(**rules),
        providers=read_providers(from_file.get("providers") or {}),
        pricing=_pricing(from_file.get("pricing") or {}),
        aliases=read_aliases(from_file.get("aliases") or {}),
    )


def _known(from_file: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """The file's settings; what only the seed knew, such as its database, is passed over."""
    return {
        name: (f"'{name}' in the configuration file", value)
        for name, value in from_file.items()
        if name in _KNOWN
    }


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[str, Any]]:
    given = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or not value:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name in _READ_ELSEWHERE or name in _OF_THE_COMMAND:
            continue
        if name not in _KNOWN:
            raise WrongSetting(_unknown(variable))
        given[name] = (variable, value)
    return given


def _unknown(variable: str) -> str:
    names = [PREFIX + name.upper() for name in (*_KNOWN, *_READ_ELSEWHERE)]
    close = get_close_matches(variable, names, n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(names))}"
    return f"{variable} is not a setting{hint}"


def _pricing(section: Any) -> dict[str, ConfiguredPrice]:
    return {
        str(model): ConfiguredPrice(
            _rate(f"pricing.{model}", row, "input_price_per_million"),
            _rate(f"pricing.{model}", row, "output_price_per_million"),
        )
        for model, row in mapping("pricing", section).items()
    }


def _rate(where: str, row: Any, name: str) -> Decimal:
    value = mapping(where, row).get(name)
    try:
        rate = parse_usd(str(value))
    except ValueError:
        rate = Decimal(-1)
    if rate < 0:
        raise WrongSetting(
            f"{where}.{name} must be a price in dollars, zero or more; it is {value!r}"
        )
    return rate
