"""The processes of a benchmark: started, awaited, measured and ended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
START_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A server under measurement.

    Attributes:
        ready_s: from its start until it accepted connections.
        ready_cpu_s: CPU it had used by then.
    """

    name: str
    port: int
    process: psutil.Process
    ready_s: float
    ready_cpu_s: float

    def cpu_s(self) -> float:
        """CPU used so far, of the process and its children."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(map(_cpu_s, family))

    def memory_mb(self) -> float:
        return float(self.process.memory_info().rss) / 2**20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    name: str,
    command: Sequence[str],
    port: int,
    *,
    environ: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[Subject]:
    """Run a server until the block ends.

    Raises:
        RuntimeError: it ended, or did not listen, within a minute.
    """
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("wb")) if log else subprocess.DEVNULL
        started = time.monotonic()
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        stack.callback(_end, child)
        _await_port(name, child, port, log)
        process = psutil.Process(child.pid)
        ready_s = time.monotonic() - started
        cpu_s = sum(process.cpu_times()[:2])
        yield Subject(name, port, process, ready_s, cpu_s)


def python_module(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _cpu_s(process: psutil.Process) -> float:
    """By the scheduler's own clock where there is one: the usual counters tick every 10 ms."""
    threads = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    ran_ns = [int(one.read_text().split()[0]) for one in threads]
    return sum(ran_ns) / 1e9 if ran_ns else float(sum(process.cpu_times()[:2]))


def _await_port(name: str, child: subprocess.Popen[bytes], port: int, log: Path | None) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if child.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    said = log.read_text(errors="replace")[-2000:] if log else ""
    raise RuntimeError(f"{name} does not listen on port {port}. {said}")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
