"""The catalogue's files, written so that a change of one model is a change of one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.prices.limits import Limits
    from infra.prices.supplement import Supplement

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "shared/bursar/prices/data"
LIMITS = Path(__file__).with_name("limits.json")
_INDEX = "index.json"


def load_shards(folder: Path = DATA) -> dict[str, Any]:
    """The shards that are there, by name."""
    files = [file for file in sorted(folder.glob("*.json")) if file.name != _INDEX]
    return {file.stem: json.loads(file.read_bytes()) for file in files}


def load_index(folder: Path = DATA) -> dict[str, Any]:
    """The index, empty where there is none yet."""
    file = folder / _INDEX
    return json.loads(file.read_bytes()) if file.exists() else {}


def load_limits(file: Path = LIMITS) -> tuple[str, Limits, Supplement]:
    """The version of LiteLLM, the limits that are from it, and the rates that are."""
    content = json.loads(file.read_bytes())
    return content["version"], content["limits"], content["supplement"]


def written(shards: Mapping[str, Any], index: Mapping[str, Any]) -> dict[str, bytes]:
    """What each file of the folder holds, by name."""
    return {
        **{f"{name}.json": _lines(shard) for name, shard in shards.items()},
        _INDEX: _document(index),
    }


def found(folder: Path = DATA) -> dict[str, bytes]:
    """What the folder's files hold now, by name."""
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.json"))}


def written_limits(version: str, limits: Limits, supplement: Supplement) -> bytes:
    """What the file of limits holds."""
    return _lines({"version": version, "limits": limits, "supplement": supplement})


def save(files: Mapping[str, bytes], folder: Path = DATA) -> None:
    """Replace the folder's files."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        if old.name not in files:
            old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _document(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _lines(content: Mapping[str, Any]) -> bytes:
    """JSON with one line for each entry of a top-level list or mapping."""
    parts = [f"{_compact(name)}: {_entries(value)}" for name, value in content.items()]
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _entries(value: Any) -> str:
    match value:
        case dict():
            entries = [f"{_compact(name)}:{_compact(each)}" for name, each in value.items()]
            return "{\n" + ",\n".join(entries) + "\n}"
        case list():
            return "[\n" + ",\n".join(map(_compact, value)) + "\n]"
        case _:
            return _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
