"""The command lines of SAM."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def configured(samconfig: Path, environment: str) -> Mapping[str, Any]:
    """What samconfig.toml says about deploying to an environment.

    Raises:
        ValueError: it has no such environment.
    """
    sections = tomllib.loads(samconfig.read_text(encoding="utf-8"))
    try:
        deploy: Mapping[str, Any] = sections[environment]["deploy"]["parameters"]
    except KeyError:
        raise ValueError(f"{samconfig.name} has no section [{environment}.deploy]") from None
    return deploy


def parameters_of(deploy: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, str]:
    """The environment's template parameters, and what is given beside them or in their place.

    A parameter that is not among them keeps the value that it has in the stack.
    """
    given = dict(pair.split("=", 1) for pair in deploy.get("parameter_overrides", []))
    return {**given, **more}


def deploy_command(
    sam: str, *, environment: str, stack: str, region: str, parameters: Mapping[str, str]
) -> list[str]:
    """`sam deploy`; nothing in it is secret, for other users of a machine can read it."""
    return [
        sam,
        "deploy",
        "--config-env",
        environment,
        "--stack-name",
        stack,
        "--region",
        region,
        "--parameter-overrides",
        *(f"{name}={value}" for name, value in sorted(parameters.items())),
    ]


def build_command(sam: str, environment: str) -> list[str]:
    return [sam, "build", "--config-env", environment]
