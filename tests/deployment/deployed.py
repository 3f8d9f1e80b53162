"""Bursar deployed onto an emulated AWS, with a provider in this process."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.deployment.emulator import Emulator, emulator
from tests.deployment.stack import Stack, build, deploy
from tests.fakes.openai_upstream import FakeOpenAI

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROVIDER_KEY: Final = "sk-canary-provider-key-of-the-deployed-stack"


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a test has at hand."""

    aws: Emulator
    stack: Stack
    upstream: FakeOpenAI


@contextlib.contextmanager
def deployed(folder: Path) -> Iterator[Deployed]:
    """Deploy with logs in a folder, enter the provider's key, and take all of it away again.

    Raises:
        EmulatorAbsentError: there is no emulator on this machine.
    """
    with emulator(folder) as aws, FakeOpenAI() as upstream:
        stack = deploy(aws, folder, build(aws, folder))
        _enter_provider(aws, stack.outputs["ProviderKeysPath"], upstream.base_url)
        yield Deployed(aws, stack, upstream)


def _enter_provider(aws: Emulator, path: str, base_url: str) -> None:
    systems_manager = aws.client("ssm")
    for name, value, kind in (
        ("api_key", PROVIDER_KEY, "SecureString"),
        ("api_base", base_url, "String"),
        ("allow_private_network", "true", "String"),
    ):
        systems_manager.put_parameter(Name=f"{path}/openai/{name}", Value=value, Type=kind)
