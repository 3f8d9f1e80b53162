"""An AWS on loopback, from the environment that `make env` makes for it.

It runs Lambda functions in its own interpreter, checks every request's signature, and lets nobody
do what no policy allows: a function has the permissions of its role and no others.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any, Final

import boto3

from functions.server.answering import wait_until_it_answers
from tests.engines import ROOT
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BIN: Final = ROOT / ".venv-emulator" / "bin"
REGION: Final = "us-east-1"
# Its administrator's, by its documentation.
ROOT_CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
START_TIMEOUT_S: Final = 180
STOP_TIMEOUT_S: Final = 30


class EmulatorAbsentError(Exception):
    """The emulator cannot be had on this machine; the text says why."""


class Emulator:
    """A running one."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def environ(self) -> Mapping[str, str]:
        """What an AWS tool needs to talk to it as its administrator."""
        return {**ROOT_CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.url}

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """An SDK's client, with STS's answer for a role's credentials or as the administrator."""
        given = credentials or {}
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=given.get("AccessKeyId", "test"),
            aws_secret_access_key=given.get("SecretAccessKey", "test"),
            aws_session_token=given.get("SessionToken"),
        )


@contextlib.contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    """Start one with its log and all it unpacks in a folder, and leave nothing of it behind.

    Raises:
        EmulatorAbsentError: its environment is not there.
        RuntimeError: it does not start.
    """
    if not (BIN / "ministack").exists():
        raise EmulatorAbsentError(f"{BIN} has no ministack: run make env")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = {
        **ROOT_CREDENTIALS,
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "HOME": str(folder),
        "IOT_MTLS_ENABLED": "0",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": str(folder),
    }
    with (
        (folder / "emulator.log").open("wb") as log,
        # A session of its own: the functions' processes end with it.
        subprocess.Popen(
            [BIN / "ministack"],
            env=environ,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            if not wait_until_it_answers(
                url, START_TIMEOUT_S, is_alive=lambda: process.poll() is None
            ):
                said = (folder / "emulator.log").read_text()
                raise RuntimeError(f"the emulator does not start: {said[-2000:]}")
            yield Emulator(url)
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
