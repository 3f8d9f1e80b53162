"""The recorded requests, answers and streams in `events/wire/`."""

from __future__ import annotations

from typing import Any

import msgspec

from bursar.dialects.sse import FrameSplitter, data_of
from tests.engines import ROOT

_FOLDER = ROOT / "events" / "wire"


def wire_bytes(name: str) -> bytes:
    """A file by its path in the folder, as in `messages/text.sse`."""
    return (_FOLDER / name).read_bytes()


def wire_json(name: str) -> Any:
    return msgspec.json.decode(wire_bytes(name))


def wire_events(name: str) -> list[dict[str, Any]]:
    """The events of a recorded stream, but for `[DONE]`."""
    data = map(data_of, FrameSplitter().feed(wire_bytes(name)))
    return [msgspec.json.decode(each) for each in data if each not in (None, b"[DONE]")]
