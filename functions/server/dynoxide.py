"""dynoxide as a child process: on a file for a run, in memory for tests.

A gateway that is killed leaves its engine running. `engine.json` in the data directory says where,
so that the next start finds the orphan and uses it instead of starting a second one on its file.

Who uses the engine holds a shared lock on `engine.lock`; the system drops it with the process,
however that ends. Stopping asks for the lock alone, so the last one out ends the engine. Starting
is serialised by `engine.start.lock`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from functions.server.answering import PAUSE_S, answers, wait_until_it_answers
from functions.server.dynoxide_binary import NoDynoxide

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

DATABASE: Final = "bursar.db"
RECORD: Final = "engine.json"
USE_LOCK: Final = "engine.lock"
START_LOCK: Final = "engine.start.lock"
LOG: Final = "engine.log"

START_TIMEOUT_S: Final = 15.0
STOP_TIMEOUT_S: Final = 5.0
START_ATTEMPTS: Final = 3
"""Between choosing a free port and listening on it, somebody else may take it."""

PASSED_ON: Final = ("HOME", "LANG", "PATH", "TMPDIR")
"""All of the environment that the engine gets: it has no business with keys."""


@dataclass(frozen=True, slots=True)
class Dynoxide:
    """An engine that answers. `stop` ends it unless another run uses it, too."""

    endpoint: str
    stop: Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Process:
    """A running engine; `child` is None for the orphan of an earlier run."""

    pid: int
    port: int
    child: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def open_dynoxide(binary: Path, data_dir: Path, environ: Mapping[str, str]) -> Dynoxide:
    """The engine on a data directory's file: the one that still runs, or a new one. Blocking.

    Raises:
        NoDynoxide: it cannot be started.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    in_use = (data_dir / USE_LOCK).open("w")
    process = None
    try:
        with _alone(data_dir / START_LOCK):
            fcntl.flock(in_use, fcntl.LOCK_SH)
            with _signals_held_back():
                process = _still_running(data_dir) or _start_on_file(binary, data_dir, environ)
    except BaseException:
        if process is None:
            in_use.close()
        else:
            _leave(in_use, process, data_dir)
        raise
    return Dynoxide(process.endpoint, lambda: _leave(in_use, process, data_dir))


def start_in_memory(binary: Path, environ: Mapping[str, str]) -> Dynoxide:
    """An engine of its own that forgets everything when it stops. Blocking.

    Raises:
        NoDynoxide: it cannot be started.
    """
    process = _start(binary, [], subprocess.DEVNULL, environ)
    return Dynoxide(process.endpoint, lambda: _end(process))


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Let signals wait: one between a fork and its return leaves a child that nobody knows of."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda which, _: came.append(which))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _still_running(data_dir: Path) -> _Process | None:
    """The engine that an earlier start recorded, if it is still there and answers."""
    try:
        record = json.loads((data_dir / RECORD).read_text())
        process = _Process(int(record["pid"]), int(record["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The number may be another process's by now, so its command must name this very file.
    if str(data_dir / DATABASE) not in _command_of(process.pid):
        return None
    return process if answers(process.endpoint) else None


def _command_of(pid: int) -> str:
    proc = Path("/proc", str(pid), "cmdline")
    if Path("/proc/self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout


def _start_on_file(binary: Path, data_dir: Path, environ: Mapping[str, str]) -> _Process:
    database = ["--db-path", str(data_dir / DATABASE)]
    with _private(data_dir / LOG) as log:
        process = _start(binary, database, log, environ)
    with _private(data_dir / RECORD) as record:
        record.write(json.dumps({"pid": process.pid, "port": process.port}).encode())
    return process


def _private(path: Path) -> IO[bytes]:
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


def _start(
    binary: Path, arguments: list[str], log: IO[bytes] | int, environ: Mapping[str, str]
) -> _Process:
    for _ in range(START_ATTEMPTS):
        port = free_port()
        child = _spawn([str(binary), "--port", str(port), *arguments], log, environ)
        process = _Process(child.pid, port, child)
        if wait_until_it_answers(process.endpoint, START_TIMEOUT_S, is_alive=_alive(child)):
            return process
        _end(process)
    raise NoDynoxide(f"{binary} does not start")


def _alive(child: subprocess.Popen[bytes]) -> Callable[[], bool]:
    return lambda: child.poll() is None


def _spawn(
    command: list[str], log: IO[bytes] | int, environ: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603
            [*command, "--host", "127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={name: environ[name] for name in PASSED_ON if name in environ},
            # Out of the terminal's reach: on Ctrl-C the gateway drains first and then stops it.
            start_new_session=True,
        )
    except OSError as failure:
        raise NoDynoxide(f"{command[0]} does not run") from failure


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _leave(in_use: IO[str], process: _Process, data_dir: Path) -> None:
    """End the engine unless another run holds the lock. A second call does nothing."""
    if in_use.closed:
        return
    with in_use:
        try:
            fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _is_gone(process)  # reaps a child that ended by itself
            return
        _end(process)
        (data_dir / RECORD).unlink(missing_ok=True)


def _end(process: _Process) -> None:
    """Terminate an engine and wait until it is gone; kill it if it lingers."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if _is_gone(process):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, how)
        _wait_until_gone(process)


def _wait_until_gone(process: _Process) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while time.monotonic() < deadline and not _is_gone(process):
        time.sleep(PAUSE_S)


def _is_gone(process: _Process) -> bool:
    if process.child is not None:
        return process.child.poll() is not None
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    return False
