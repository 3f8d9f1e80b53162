"""The DynamoDB engines that tests run on: dynoxide, and AWS's own DynamoDB Local.

`python -m tests.engines` fetches both ahead of the tests, so that no test waits for a download,
and says what cannot be had here. Without it the fixtures of conftest.py fetch them when asked.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from functions.server.answering import wait_until_it_answers
from functions.server.dynoxide import start_in_memory
from functions.server.dynoxide_binary import NoDynoxide, find_or_fetch
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
DATA_DIR = ROOT / ".bursar"
POM = ROOT / "tests" / "dynamodb_local" / "pom.xml"
JARS = DATA_DIR / "dynamodb-local"
MAIN_CLASS = "software.amazon.dynamodb.services.local.main.ServerRunner"

MAVEN_TIMEOUT_S = 300
START_TIMEOUT_S = 180


class EngineAbsentError(Exception):
    """An engine cannot be had on this machine; the text says why."""


@contextlib.contextmanager
def dynoxide() -> Iterator[str]:
    """The endpoint of a fresh dynoxide in memory.

    Raises:
        EngineAbsentError: neither a binary nor a package for this machine can be had.
    """
    try:
        engine = start_in_memory(dynoxide_binary(), os.environ)
    except NoDynoxide as reason:
        raise EngineAbsentError(reason.message) from reason
    try:
        yield engine.endpoint
    finally:
        engine.stop()


def dynoxide_binary() -> Path:
    """The binary that a local run would use.

    Raises:
        EngineAbsentError: there is none.
    """
    try:
        with _alone("dynoxide"):
            return find_or_fetch(DATA_DIR, os.environ)
    except NoDynoxide as reason:
        raise EngineAbsentError(reason.message) from reason


@contextlib.contextmanager
def dynamodb_local() -> Iterator[str]:
    """The endpoint of a fresh DynamoDB Local in memory.

    Raises:
        EngineAbsentError: Java or Maven is not here, or the artifact cannot be had or run.
    """
    port, classes = free_port(), f"{dynamodb_local_jars()}/*"
    options = ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)]
    program = ["-cp", classes, MAIN_CLASS, *options]
    with (
        # It unpacks a library, and does not live to take it away.
        TemporaryDirectory() as unpacked,
        subprocess.Popen(
            [_tool("java"), "-Xmx256m", f"-Djava.io.tmpdir={unpacked}", *program],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as java,
    ):
        try:
            endpoint = f"http://127.0.0.1:{port}"
            if not wait_until_it_answers(
                endpoint, START_TIMEOUT_S, is_alive=lambda: java.poll() is None
            ):
                raise EngineAbsentError("DynamoDB Local does not start with this Java")
            yield endpoint
        finally:
            java.kill()


def dynamodb_local_jars() -> Path:
    """The folder of DynamoDB Local's jars and native libraries, fetched once for each pom.xml.

    Raises:
        EngineAbsentError: Maven is not here or cannot fetch them.
    """
    with _alone("dynamodb-local"):
        marker = JARS / f"complete-{hashlib.sha256(POM.read_bytes()).hexdigest()[:16]}"
        if not marker.exists():
            shutil.rmtree(JARS, ignore_errors=True)
            _copy_dependencies()
            marker.touch()
    return JARS


def _copy_dependencies() -> None:
    # Strict checksums: a jar that is not what the repository says fails the build.
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={JARS}"]
    command = [_tool("mvn"), "--batch-mode", "--quiet", "--strict-checksums", "-f", str(POM), *goal]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=MAVEN_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as failure:
        raise EngineAbsentError("Maven could not fetch DynamoDB Local") from failure


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise EngineAbsentError(f"{name} is not on PATH, which DynamoDB Local needs")
    return path


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Let one of several test workers fetch, while the others wait for it."""
    DATA_DIR.mkdir(exist_ok=True)
    with (DATA_DIR / f"{name}.fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fetch_all() -> None:
    """Fetch what can be had, and say what cannot."""
    for name, fetch in (
        ("dynoxide", dynoxide_binary),
        ("DynamoDB Local", _dynamodb_local_for_java),
    ):
        try:
            fetch()
        except EngineAbsentError as reason:
            sys.stderr.write(f"Tests on {name} will be skipped: {reason}\n")


def _dynamodb_local_for_java() -> Path:
    _tool("java")
    return dynamodb_local_jars()


if __name__ == "__main__":
    fetch_all()
