"""A gateway as a process of its own: started, waited for, asked, stopped, killed and started again.

It gets an environment made of what the test says and nothing of the machine's, so that no
provider's key and no setting of whoever runs the tests gets into them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
MASTER_KEY = "master-canary-4f1d2c3b5a697887-of-the-tests"
# Long enough for a machine that is busy: nobody waits for them where all is well.
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 45.0
# Reading the trust store takes each request 50 ms of CPU, and gateways here speak plain HTTP.
NO_TLS = False
TOOLS = "/usr/local/bin:/usr/bin:/bin"


class GatewayProcess:
    """`python -m functions.server` with its output in files.

    Args:
        folder: for its logs and, unless an engine is named, its data.
        environ: its whole environment, on top of a PATH, a HOME, a port and a data directory.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = int(environ.get("BURSAR_PORT") or free_port())
        self.environ = {
            "PATH": TOOLS,
            "HOME": str(folder),
            "BURSAR_DATA_DIR": str(folder / "data"),
            "BURSAR_PORT": str(self.port),
            "BURSAR_ALLOW_PRIVATE_UPSTREAMS": "true",  # the tests' providers are on this machine
            **environ,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was not started"
        return self._process

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def stdout(self) -> str:
        return (self.folder / "stdout").read_text("utf-8")

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text("utf-8")

    def launch(self) -> None:
        """Start it without waiting; its output is appended to that of earlier starts."""
        with (self.folder / "stdout").open("ab") as out, (self.folder / "stderr").open("ab") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "functions.server"],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start it and wait until it serves.

        Raises:
            RuntimeError: it ended, or did not answer in time.
        """
        self.launch()
        self.wait_until_alive()

    def wait_until_alive(self) -> None:
        assert until(lambda: self.is_alive() or self.process.poll() is not None, START_TIMEOUT_S)
        if self.process.poll() is not None:
            raise RuntimeError(f"the gateway ended with {self.process.returncode}: {self.stderr}")

    def is_alive(self) -> bool:
        try:
            url = f"{self.url}/health/liveness"
            return httpx2.get(url, timeout=5, verify=NO_TLS).status_code == 200
        except httpx2.HTTPError:
            return False

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it in an orderly way; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def kill(self) -> None:
        """As `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def run_to_its_end(self) -> int:
        """Start something that is expected to end by itself; its exit code."""
        self.launch()
        try:
            return self.process.wait(START_TIMEOUT_S)
        finally:
            self.process.kill()
            self.process.wait()

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """Ask the management API with the master key; the answer's JSON, None where it is empty.

        Raises:
            RuntimeError: it answered with an error.
        """
        answer = httpx2.request(
            method,
            self.url + path,
            json=body,
            headers={"authorization": f"Bearer {self.environ['BURSAR_MASTER_KEY']}"},
            timeout=30,
            verify=NO_TLS,
        )
        if answer.is_error:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None


@contextlib.contextmanager
def running(gateway: GatewayProcess) -> Iterator[GatewayProcess]:
    """Start a gateway, and leave nothing of it behind."""
    try:
        gateway.start()
        yield gateway
    finally:
        if gateway._process is not None:
            gateway.stop()


def until(condition: Callable[[], bool], timeout_s: float = 30.0, pause_s: float = 0.02) -> bool:
    """Poll until a condition holds; tell whether it does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True


def exists(pid: int) -> bool:
    """Tell whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
