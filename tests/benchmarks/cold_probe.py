"""Runs in a fresh process in an artifact: imports its handler, then may call it; prints JSON.

    python -I -S cold_probe.py <artifact> <module> [<requests>]

Nothing but `sys` and `time` is imported before the clock starts. An event comes on standard input
if there are requests to make.
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    artifact, module = sys.argv[1:3]
    sys.path[:0] = [artifact]
    wall, cpu = time.perf_counter(), time.process_time()
    __import__(module)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    measured = {"wall_ms": wall * 1000, "cpu_ms": cpu * 1000}
    if len(sys.argv) > 3:
        measured |= _called(sys.modules[module].handler, int(sys.argv[3]))
    import json  # noqa: PLC0415 (not before the clock)
    import resource  # noqa: PLC0415

    measured["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("\n" + json.dumps(measured))


def _called(handler: object, requests: int) -> dict[str, float]:
    import json  # noqa: PLC0415 (not before the clock)
    from types import SimpleNamespace  # noqa: PLC0415

    event = json.load(sys.stdin)
    context = SimpleNamespace(
        aws_request_id="an-invocation", get_remaining_time_in_millis=lambda: 60_000
    )
    spent_ms = []
    for _ in range(requests):
        cpu = time.process_time()
        answer = handler(event, context)  # type: ignore[operator]
        spent_ms.append((time.process_time() - cpu) * 1000)
        if b"chat.completion" not in answer:
            raise RuntimeError(answer)
    first, *warm = spent_ms
    return {"first_request_cpu_ms": first, "warm_request_cpu_ms": sorted(warm)[len(warm) // 2]}


if __name__ == "__main__":
    main()
