"""What starting `bursar` costs: `python -m tests.benchmarks.bench_command [--starts 15]`.

Medians of fresh processes, CPU of user and system together. Commands that ask a gateway are given
an address where nobody answers, so that all they do is start, read their options and ask.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

PROGRAM: Final = Path(sys.executable).with_name("bursar")
AIM_MS: Final = 150
CASES: Final = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "--version": (str(PROGRAM), "--version"),
    "--help": (str(PROGRAM), "--help"),
    "keys --help": (str(PROGRAM), "keys", "--help"),
    "prices set --help": (str(PROGRAM), "prices", "set", "--help"),
    "projects --help": (str(PROGRAM), "projects", "--help"),
    "budgets create, refused here": (str(PROGRAM), "budgets", "create", "--limit", "much"),
    "users list, asked in vain": (str(PROGRAM), "users", "list", "--url", "http://127.0.0.1:9"),
}


@dataclass(frozen=True, slots=True)
class Start:
    """One process, from its start to its end."""

    cpu_ms: float
    wall_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=15)
    starts = parser.parse_args().starts
    print(f"| command | CPU, ms (aim: below {AIM_MS}) | wall, ms |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as home:
        for name, words in CASES.items():
            _start(words, home)  # writes the bytecode
            found = [_start(words, home) for _ in range(starts)]
            cpu_ms = median(one.cpu_ms for one in found)
            print(f"| {name} | {cpu_ms:.0f} | {median(one.wall_ms for one in found):.0f} |")


def _start(words: tuple[str, ...], home: str) -> Start:
    before, since = _children_s(), time.perf_counter()
    environ = {"PATH": os.defpath, "HOME": home, "BURSAR_MASTER_KEY": "made-up"}
    subprocess.run(words, env=environ, capture_output=True, check=False, timeout=60)
    return Start((_children_s() - before) * 1000, (time.perf_counter() - since) * 1000)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
