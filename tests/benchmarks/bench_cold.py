"""Cold starts: `make bench-cold`.

Each function is built twice: as it is deployed, for its size, and with the same locked versions
for this machine, where its handler is imported by fresh processes, as Lambda starts it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bursar import bootstrap
from bursar.domain.periods import Calendar
from bursar.services.admin_budgets import BudgetRequest
from bursar.services.admin_keys import KeyRequest
from bursar.services.admin_prices import PriceRequest
from bursar.services.admin_users import UserRequest
from bursar.settings import Settings
from bursar.store.connect import connect
from bursar.store.schema import ensure_table
from tests.benchmarks.artifacts import FUNCTIONS, build, build_here, bytes_of, interpreter
from tests.benchmarks.gateway import engine
from tests.benchmarks.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.services.administration import AdminServices
    from tests.benchmarks.artifacts import Interpreter

PROBE = ROOT / "tests" / "benchmarks" / "cold_probe.py"
EVENT = ROOT / "events" / "rest-chat.json"
STARTS = 10
REQUESTS = 201
MOST_IMPORTED = 12
MB = 1_000_000
LAMBDA = {
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "BURSAR_MASTER_KEY_DIGEST": "a" * 64,
    "BURSAR_MOCK": "true",
    "BURSAR_TABLE": "bursar",
    "PATH": "/usr/bin:/bin",
    "TZ": ":UTC",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """One function: medians of fresh processes, and what the deployed artifact takes."""

    cpu_ms: float
    wall_ms: float
    memory_mb: float
    modules: int
    deployed_mb: float
    bytecode_mb: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default="python3.13", help="a Python of the runtime's version")
    python = interpreter(parser.parse_args().python, sys.executable)
    with tempfile.TemporaryDirectory(prefix="bursar-cold-") as kept:
        _report(Path(kept), python)


def _report(folder: Path, python: Interpreter) -> None:
    remark = "" if python.is_the_runtimes else ", which is not the runtime's version"
    print(f"Python {python.version}{remark}; median of {STARTS} fresh processes\n")
    print(
        "| function | CPU, ms | wall, ms | peak memory, MB | modules | artifact, MB "
        "| of it bytecode |\n|---|---|---|---|---|---|---|"
    )
    for function in FUNCTIONS:
        it = _measure(function, folder, python)
        print(
            f"| {function} | {it.cpu_ms:.0f} | {it.wall_ms:.0f} | {it.memory_mb:.0f} "
            f"| {it.modules} | {it.deployed_mb:.1f} | {it.bytecode_mb:.1f} |"
        )
    requests = _requests(folder / "proxy-here", folder, python)
    print(
        f"\nProxy, CPU of a request: first {requests['first_request_cpu_ms']:.1f} ms, "
        f"warm {requests['warm_request_cpu_ms']:.2f} ms; peak memory then "
        f"{requests['memory_mb']:.0f} MB"
    )
    for function in FUNCTIONS:
        print(f"\n{function}: imports by package, ms of their own (under -X importtime)\n")
        print("| package | ms | modules |\n|---|---|---|")
        for package, ms, modules in _imports(function, folder / f"{function}-here", python):
            print(f"| {package} | {ms:.1f} | {modules} |")


def _measure(function: str, folder: Path, python: Interpreter) -> Measured:
    deployed, here = folder / function, folder / f"{function}-here"
    build(function, deployed, python=python.path)
    build_here(function, here, python)
    starts = [_probe(function, here, python) for _ in range(STARTS + 1)][1:]  # one to warm disks
    return Measured(
        cpu_ms=median(start["cpu_ms"] for start in starts),
        wall_ms=median(start["wall_ms"] for start in starts),
        memory_mb=median(start["memory_mb"] for start in starts),
        modules=sum(modules for _, _, modules in _imports(function, here, python, most=1000)),
        deployed_mb=bytes_of(deployed) / MB,
        bytecode_mb=bytes_of(deployed, ".pyc") / MB,
    )


def _run(
    python: Interpreter,
    arguments: list[str],
    environ: Mapping[str, str] | None = None,
    event: str | None = None,
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [python.path, "-I", "-S", *arguments],
        env={**LAMBDA, **(environ or {})},
        input=event,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return done


def _probe(function: str, artifact: Path, python: Interpreter) -> dict[str, float]:
    done = _run(python, [str(PROBE), str(artifact), f"functions.{function}.handler"])
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _imports(
    function: str, artifact: Path, python: Interpreter, most: int = MOST_IMPORTED
) -> list[tuple[str, float, int]]:
    """Packages with the time of their own modules, those of the interpreter's start included."""
    arguments = ["-X", "importtime", str(PROBE), str(artifact), f"functions.{function}.handler"]
    said = _run(python, arguments).stderr.splitlines()
    rows = [line.removeprefix("import time:").split("|") for line in said if "|" in line]
    spent: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for own_us, _, name in rows[1:]:
        package = name.strip().partition(".")[0]
        spent[package] += int(own_us)
        modules[package] += 1
    return [(name, us / 1000, modules[name]) for name, us in spent.most_common(most)]


def _requests(artifact: Path, folder: Path, python: Interpreter) -> dict[str, float]:
    with engine(folder) as running:
        endpoint = f"http://127.0.0.1:{running.port}"
        key = asyncio.run(_key(endpoint))
        arguments = [str(PROBE), str(artifact), "functions.proxy.handler", str(REQUESTS)]
        environ = {"DYNAMODB_ENDPOINT": endpoint}
        done = _run(python, arguments, environ, json.dumps(_event(key)))
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _event(key: str) -> dict[str, Any]:
    body = {"model": "mock:echo", "messages": [{"role": "user", "content": "hello"}]}
    event: dict[str, Any] = json.loads(EVENT.read_text())
    event["headers"] = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    return event | {"body": json.dumps(body | {"max_tokens": 100}), "isBase64Encoded": False}


async def _key(endpoint: str) -> str:
    """A key with a budget, and a price for the mock's model."""
    call = connect({**os.environ, "DYNAMODB_ENDPOINT": endpoint})
    try:
        await ensure_table(call, LAMBDA["BURSAR_TABLE"])
        storage = bootstrap.connect(call, LAMBDA["BURSAR_TABLE"])
        return await _prepared(
            bootstrap.admin_services(Settings(master_key="unused-by-this"), storage)
        )
    finally:
        await call.close()


async def _prepared(admin: AdminServices) -> str:
    limit = BudgetRequest(max_budget_usd=Decimal(1_000), calendar=Calendar.MONTH)
    budget = (await admin.budgets.create(limit)).budget
    await admin.users.create(UserRequest("someone", budget_id=budget.budget_id))
    await admin.prices.set(PriceRequest("mock:echo", Decimal(1), Decimal(2)))
    return (await admin.keys.create(KeyRequest(user_id="someone"))).virtual_key


if __name__ == "__main__":
    main()
