"""The gateway under measurement: its engine, its settings, a priced model, a budget and a key."""

from __future__ import annotations

import contextlib
import json
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from tests.benchmarks.processes import ROOT, Subject, free_port, python_module, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MASTER_KEY = "bench-master-key-that-is-long-enough"
MODELS = ("bench", "bench-paced", "bench-paced-long")
# One with OpenAI's dialects, one with Anthropic's, and one that speaks chat only.
PROVIDERS = {"openai": "/v1", "anthropic": "", "cerebras": "/v1"}


class NoGateway(RuntimeError):
    """There is no gateway to measure, with the reason."""


@dataclass(frozen=True, slots=True)
class Gateway:
    subject: Subject
    virtual_key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.virtual_key}"}


@contextlib.contextmanager
def engine(folder: Path) -> Iterator[Subject]:
    """dynoxide on a file, as a local run has it."""
    pinned = ROOT / ".bursar" / "bin" / "dynoxide"
    binary = str(pinned) if pinned.exists() else shutil.which("dynoxide")
    if binary is None:
        raise NoGateway("dynoxide is neither on the PATH nor in .bursar/bin")
    port = free_port()
    command = [binary, "--port", str(port), "--db-path", str(folder / "bench.db")]
    with running("engine", command, port) as subject:
        yield subject


@contextlib.contextmanager
def gateway(folder: Path, *, upstream_port: int, engine_port: int) -> Iterator[Gateway]:
    """`python -m functions.server` with one user who has a budget and a key."""
    port = free_port()
    origin = f"http://127.0.0.1:{upstream_port}"
    settings = {
        "providers": {
            name: {"api_key": "sk-bench", "api_base": origin + path}
            for name, path in PROVIDERS.items()
        }
    }
    config = folder / "config.yml"
    config.write_text(json.dumps(settings))  # JSON is YAML
    environ = {
        "BURSAR_CONFIG": str(config),
        "BURSAR_MASTER_KEY": MASTER_KEY,
        "BURSAR_ALLOW_PRIVATE_UPSTREAMS": "true",
        "BURSAR_PORT": str(port),
        "BURSAR_DATA_DIR": str(folder / "data"),
        "DYNAMODB_ENDPOINT": f"http://127.0.0.1:{engine_port}",
    }
    command = python_module("functions.server")
    log = folder / f"gateway-{port}.log"
    with running("gateway", command, port, environ=environ, log=log) as subject:
        yield Gateway(subject, _prepare(port))


def _prepare(port: int) -> str:
    budget = _admin(port, "/v1/budgets", {"max_budget": 1_000_000, "budget_duration_sec": 2592000})
    user = {"user_id": f"bench-{port}", "budget_id": budget["budget_id"]}
    _admin(port, "/v1/users", user)
    for provider, model in product(PROVIDERS, MODELS):
        price = {"input_price_per_million": 1, "output_price_per_million": 2}
        _admin(port, "/v1/pricing", {"model_key": f"{provider}:{model}", **price})
    key: str = _admin(port, "/v1/keys", {"user_id": user["user_id"]})["key"]
    return key


def _admin(port: int, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "x-anyllm-key": f"Bearer {MASTER_KEY}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace")
        raise RuntimeError(f"{path} answered {error.code}: {said}") from None
