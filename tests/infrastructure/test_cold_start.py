"""What a cold start pays for: the modules that the data plane imports, and its artifact's size."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.artifacts import build, bytes_of
from tests.infrastructure.test_artifacts import LAMBDA

if TYPE_CHECKING:
    from pathlib import Path

SLOW = (
    "aiohttp",
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "boto3",
    "botocore",
    "fastapi",
    "httpx2",
    "mangum",
    "moto",
    "nacl",
    "pydantic",
    "requests",
    "urllib3",
    "uvicorn",
    "yaml",
)
MODULES_MAX = 510
ARTIFACT_MB_MAX = 12


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules of a process that has imported the data plane's handler as Lambda does."""
    code = "import sys, functions.proxy.handler; print('', *sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**LAMBDA, "BURSAR_MASTER_KEY_DIGEST": "a" * 64, "BURSAR_MOCK": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("slow", SLOW)
def test_the_data_plane_starts_without(imported: set[str], slow: str) -> None:
    assert "functions.proxy.app" in imported
    assert not {name for name in imported if name.partition(".")[0] == slow}


def test_the_vaults_library_is_not_imported_before_it_is_needed(imported: set[str]) -> None:
    assert not {name for name in imported if name.startswith("bursar.vault")}
    assert "bursar.services.vault_targets" in imported


REQUESTS = """
import asyncio, sys
from bursar.domain.errors import Unauthenticated
from tests.fakes.scripted_upstream import completion
from tests.fakes.world import World

def print_vault():
    print(*(name for name in ("nacl", "bursar.vault") if name in sys.modules))

async def main():
    world = World()
    world.upstream.answer = completion()
    await world.chat(await world.someone())
    print_vault()
    try:
        await world.chat("ANY.v1.12345678.b4c60bb1-" + "A" * 43 + "=")
    except Unauthenticated:
        print_vault()

asyncio.run(main())
"""


def test_only_a_request_with_a_projects_key_imports_the_vaults_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REQUESTS], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["", "nacl bursar.vault"]


def test_the_data_plane_imports_no_more_modules_than_it_did(imported: set[str]) -> None:
    assert len(imported) < MODULES_MAX


def test_the_data_planes_artifact_stays_small(tmp_path: Path) -> None:
    build("proxy", tmp_path, python=sys.executable)
    assert 1 < bytes_of(tmp_path) / 1_000_000 < ARTIFACT_MB_MAX
