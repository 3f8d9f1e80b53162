"""The gateway on this machine: is it running, where are its keys, and how it is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bursar.cli.connection import HttpConnection
from bursar.cli.failures import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVER: Final = "functions.server"
_FOLDER: Final = ".bursar"
_PORT: Final = "8000"
# The first start may fetch its engine.
_START_S: Final = 90.0
_PAUSE_S: Final = 0.2
_OWNER_ONLY: Final = 0o600
_FOLDER_OWNER_ONLY: Final = 0o700


@dataclass(frozen=True, slots=True)
class LocalStart:
    """A gateway that was started here.

    Attributes:
        log: the file that it writes its log to.
    """

    process_id: int
    log: Path


def local_url() -> str:
    return f"http://127.0.0.1:{os.environ.get('BURSAR_PORT') or _PORT}"


def answers(url: str) -> bool:
    """Tell whether a gateway answers there.

    Raises:
        Failed: something else does.
    """
    try:
        HttpConnection(url).ask("GET", "/health/liveness")
    except Failed as error:
        if getattr(error, "status", None) is not None or "not a Bursar" in error.message:
            raise Failed(f"What answers at {url} is not a Bursar gateway") from None
        return False
    return True


def data_folder() -> Path:
    """Where a gateway that is started here keeps its data: as `make run` does, where it is."""
    configured = os.environ.get("BURSAR_DATA_DIR")
    if configured:
        return Path(configured).resolve()
    here = Path.cwd() / _FOLDER
    repository = _repository()
    if here.exists() or repository is None:
        return here
    return repository / _FOLDER


def known_master_keys() -> list[str]:
    """What a gateway on this machine may have made up, read from where `make run` keeps it."""
    return [key for folder in _folders() if (key := _master_key_in(folder)) is not None]


def can_start() -> bool:
    """Tell whether the server is installed beside this command."""
    try:
        return find_spec(_SERVER) is not None
    except ModuleNotFoundError:
        return False


def start(url: str, provider_keys: Mapping[str, str]) -> LocalStart:
    """Start a gateway in the background, and wait until it answers.

    Args:
        provider_keys: more variables, for this start.

    Raises:
        Failed: it does not start; with its own words.
    """
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_OWNER_ONLY)
    log = folder / "server.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        # Its greeting has its keys, which are in a file of their own; what goes wrong is logged.
        process = subprocess.Popen(  # noqa: S603 (this interpreter, and a name from above)
            [sys.executable, "-m", _SERVER],
            env={**os.environ, **provider_keys, "BURSAR_DATA_DIR": str(folder)},
            cwd=folder.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
            start_new_session=True,
        )
    _wait(url, process, log)
    return LocalStart(process.pid, log)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + _START_S
    while not answers(url):
        if process.poll() is not None:
            said = log.read_text("utf-8", errors="replace").strip().splitlines()
            raise Failed(f"The gateway does not start: {said[-1] if said else f'see {log}'}")
        if time.monotonic() > deadline_s:
            process.terminate()
            raise Failed(f"The gateway did not answer in {_START_S:.0f} s: {log} may say why")
        time.sleep(_PAUSE_S)


def _folders() -> list[Path]:
    repository = _repository()
    folders = [data_folder(), Path.cwd() / _FOLDER]
    return list(dict.fromkeys(folders if repository is None else [*folders, repository / _FOLDER]))


def _repository() -> Path | None:
    """The checkout that this command is installed from, if it is one."""
    if not can_start():
        return None
    spec = find_spec(_SERVER)
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parents[2]
    return root if (root / "Makefile").exists() else None


def _master_key_in(folder: Path) -> str | None:
    try:
        kept = json.loads((folder / "credentials.json").read_text("utf-8"))
        return kept["master_key"] or None
    except (OSError, ValueError, KeyError, TypeError):
        return None
