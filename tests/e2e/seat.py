"""Somebody at a terminal: sees what `bursar` writes, answers its questions, presses Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from select import select
from typing import TYPE_CHECKING, Self

from tests.e2e.command import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from tests.e2e.command import Command

CTRL_C = "\x03"
CTRL_D = "\x04"
_ROWS, _COLUMNS = 50, 120
_TIMEOUT_S = 60.0
_REACTION_S = 0.3
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")
# The keys of a terminal become signals for the process that it controls.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Seat:
    """The command with one terminal for everything, as a person has it.

    Args:
        words: its arguments.
        environ: more variables.
    """

    def __init__(
        self, command: Command, *words: str, environ: Mapping[str, str] | None = None
    ) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        merged = {**command.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environ or {})}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, str(PROGRAM), *words],
            env={name: value for name, value in merged.items() if value},
            cwd=command.home,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._written = bytearray()
        self._read_to = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)

    @property
    def screen(self) -> str:
        """Everything that was shown so far, echoes of what was typed included."""
        return _ESCAPES.sub("", self._written.decode(errors="replace")).replace("\r\n", "\n")

    @property
    def arguments(self) -> str:
        """What every process of the machine can read of its command line."""
        path = Path(f"/proc/{self._process.pid}/cmdline")
        return path.read_bytes().replace(b"\0", b" ").decode()

    def sees(self, text: str) -> None:
        """Wait until something is shown behind what was waited for before."""
        deadline_s = time.monotonic() + _TIMEOUT_S
        while (found := self.screen.find(text, self._read_to)) < 0:
            assert time.monotonic() < deadline_s, f"{text!r} is not shown: {self.screen}"
            assert self._read(), f"it ended without {text!r}: {self.screen}"
        self._read_to = found + len(text)

    def sees_anything(self, behind: int = 0) -> bool:
        """Tell whether more than so many characters are shown by now."""
        self._read()
        return len(self.screen) > behind

    def types(self, text: str) -> None:
        """Type a line, and press Enter."""
        self.presses(f"{text}\r")

    def presses(self, keys: str) -> None:
        # A line editor that has just shown its prompt does not yet wait, and misses a signal.
        self._rests()
        os.write(self._ours, keys.encode())

    def _rests(self) -> None:
        """Wait until the command has waited itself for as long as a person takes to react."""
        deadline_s = time.monotonic() + _TIMEOUT_S
        busy_s = time.monotonic()
        while (now_s := time.monotonic()) < min(deadline_s, busy_s + _REACTION_S):
            if not self._waits():
                busy_s = now_s
            time.sleep(0.01)

    def _waits(self) -> bool:
        stat = Path(f"/proc/{self._process.pid}/stat")
        if not stat.exists():
            return True  # no Linux: time alone must do
        return stat.read_text("utf-8").rpartition(")")[2].split()[0] == "S"

    def ends(self) -> int:
        """Wait for its end; its exit code."""
        deadline_s = time.monotonic() + _TIMEOUT_S
        while self._read():
            assert time.monotonic() < deadline_s, f"it does not end: {self.screen}"
        code = self._process.wait(_TIMEOUT_S)
        assert "Traceback" not in self.screen, self.screen
        return code

    def _read(self) -> bool:
        """Take in what is there; False once nobody writes any more."""
        ready, _, _ = select([self._ours], [], [], 0.2)
        if not ready:
            return True
        # Where the last writer has closed it, Linux says so by an error.
        with contextlib.suppress(OSError):
            piece = os.read(self._ours, 65536)
            self._written += piece
            return bool(piece)
        return False
