"""Imports by the command, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2

from tests.e2e.command import Command, Ended
from tests.e2e.deployment import MODEL
from tests.e2e.gateway_process import NO_TLS

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Moved:
    """Three runs one after another: what would happen, what did, and another time."""

    dry: Ended
    done: Ended
    again: Ended


def chat(served: Deployment, key: str, model: str = MODEL) -> httpx2.Response:
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 5,
    }
    headers = {"authorization": f"Bearer {key}"}
    url = f"{served.gateway.url}/v1/chat/completions"
    return httpx2.post(url, json=body, headers=headers, timeout=30, verify=NO_TLS)


def moved_by(bursar: Command, words: list[str], environ: dict[str, str] | None = None) -> Moved:
    dry = bursar.run("import", *words, "--dry-run", "-o", "json", environ=environ)
    assert dry.exit_code == 0, dry.said
    assert bursar.json("users", "list") == []
    done = bursar.run("import", *words, "--yes", environ=environ)
    assert done.exit_code == 0, done.said
    again = bursar.run("import", *words, "--yes", "-o", "json", environ=environ)
    assert again.exit_code == 0, again.said
    return Moved(dry, done, again)


def rows(ended: Ended, **wanted: str) -> list[dict[str, Any]]:
    return [
        row
        for row in ended.json["steps"]
        if all(row[name] == value for name, value in wanted.items())
    ]
