"""The `bursar` command on a pseudo-terminal, as somebody sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.e2e.command import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.command import Command

_ROWS = 50
_TIMEOUT_S = 60.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a terminal got, each output apart."""

    exit_code: int
    data: str
    said: str

    @property
    def plain_data(self) -> str:
        """Without colours and movements."""
        return _ESCAPES.sub("", self.data)

    @property
    def plain_said(self) -> str:
        return _ESCAPES.sub("", self.said)


class _Screen:
    """A pseudo-terminal, and everything that was written on it."""

    def __init__(self, columns: int) -> None:
        self._ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # Where the last writer has closed it, Linux says so by an error.
        try:
            while piece := os.read(self._ours, 65536):
                self._written += piece
        except OSError:
            pass

    def text(self) -> str:
        os.close(self.theirs)
        self._reader.join(_TIMEOUT_S)
        os.close(self._ours)
        return self._written.decode().replace("\r\n", "\n")


def on_a_terminal(
    command: Command, *words: str, environ: Mapping[str, str] | None = None, columns: int = 120
) -> Shown:
    """Run the command with a terminal for each of its outputs."""
    data, said = _Screen(columns), _Screen(columns)
    done = subprocess.run(
        [str(PROGRAM), *words],
        env={**command.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environ or {})},
        cwd=command.home,
        stdin=subprocess.DEVNULL,
        stdout=data.theirs,
        stderr=said.theirs,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return Shown(done.returncode, data.text(), said.text())
