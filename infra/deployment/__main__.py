"""`python -m infra.deployment`, which `make deploy` runs in SAM's environment."""

from __future__ import annotations

import argparse
import getpass
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infra.deployment.aws import Account
from infra.deployment.gateway import GatewayRefused
from infra.deployment.steps import Deployment, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Deploy as the arguments say."""
    given = _arguments()
    environ = os.environ
    region = given.region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    deployment = Deployment(
        root=_ROOT,
        account=Account(region),
        run=_run,
        say=lambda line: print(line, flush=True),  # noqa: T201 (this is for the terminal)
        sam=str(Path(sys.executable).with_name("sam")),
    )
    try:
        deployment.carry_out(
            Wanted(
                environment=given.environment,
                stack=given.stack_name,
                provider=given.provider,
                provider_key=_provider_key(given.provider),
                parameters=dict(pair.split("=", 1) for pair in given.parameter),
                rotates=given.rotate_master_key,
            )
        )
    except (ValueError, GatewayRefused, TimeoutError) as wrong:
        print(f"deploy: {wrong}", file=sys.stderr)  # noqa: T201
        return 1
    except subprocess.CalledProcessError as failed:
        return failed.returncode
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.deployment", description=__doc__)
    parser.add_argument("environment", help="a section of samconfig.toml, such as dev")
    parser.add_argument("--stack-name", help="if it is not the section's")
    parser.add_argument("--region", help="if it is not that of the environment or the profile")
    parser.add_argument(
        "--provider",
        help="keep this provider's key, from <PROVIDER>_API_KEY or asked for, in the stack's "
        "parameters; a new stack without one offers the mock",
    )
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the template; may be given many times",
    )
    parser.add_argument(
        "--rotate-master-key", action="store_true", help="make a new one for a stack that has one"
    )
    given = parser.parse_args()
    if not all("=" in pair for pair in given.parameter):
        parser.error("--parameter takes NAME=VALUE")
    return given


def _provider_key(provider: str | None) -> str | None:
    """Never an argument: every user of a machine can read those."""
    if provider is None:
        return None
    variable = f"{provider.upper().replace('-', '_')}_API_KEY"
    return os.environ.get(variable) or getpass.getpass(f"{provider}'s API key: ") or None


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, cwd=_ROOT)  # noqa: S603 (SAM, from its own environment)


if __name__ == "__main__":
    sys.exit(main())
