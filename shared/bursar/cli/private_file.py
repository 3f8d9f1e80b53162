"""Files in the user's folders that only their owner can read, and that are whole at any time."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_FOLDER_OWNER_ONLY: Final = 0o700
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def write_private(path: Path, text: str) -> None:
    """Put a text in place of what was there, whoever writes at the same time.

    Raises:
        OSError: it cannot be written.
    """
    import tempfile  # noqa: PLC0415 (most commands write nothing)

    path.parent.mkdir(parents=True, exist_ok=True, mode=_FOLDER_OWNER_ONLY)
    # It is made for its owner alone, by a name that nobody else has.
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def is_open_to_others(path: Path) -> bool:
    """Tell whether another user of the machine may read a file that is there."""
    # Windows has no such bits, and says what every file has.
    return os.name == "posix" and bool(path.stat().st_mode & _OTHERS)
