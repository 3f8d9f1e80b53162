"""Which HTTP client costs least on the hop to a provider: CPU a request, an event, an import.

Every cell is a fresh process of one client against a fast fake upstream in another process, so
that the CPU time is the client's own and its event loop's. Rounds are interleaved and the
median is reported, because the machine is shared.

    python -m tests.benchmarks.bench_upstream_clients [--rounds 3] [--httpx-python PATH]

`--httpx-python` is an interpreter that has httpx 0.28, which the project does not install.
`adapter-*` rows go through the project's own adapters and their port.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

CONCURRENCIES = (1, 16, 64)
REQUESTS = {1: 1500, 16: 3000, 64: 3000}
STREAMS = 25
EVENTS = 203
ALREADY_IMPORTED = ("functions.proxy.app", "bursar.bootstrap")
BODY = json.dumps(
    {"model": "bench", "messages": [{"role": "user", "content": "Say hello. " * 20}]}
).encode()
STREAM_BODY = BODY[:-1] + b', "stream": true}'
HEADERS = {
    "content-type": "application/json",
    "authorization": "Bearer made-up",
    "accept-encoding": "identity",
    "user-agent": "bench",
}
ROOT = Path(__file__).parents[2]


def _aiohttp(url: str) -> tuple[Callable[[bytes], Awaitable[None]], Callable[[], Awaitable[None]]]:
    import aiohttp  # noqa: PLC0415 - what is imported is what is measured

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=600),
    )

    async def call(body: bytes) -> None:
        async with session.post(url, data=body, headers=HEADERS, allow_redirects=False) as answer:
            async for _ in answer.content.iter_any():
                pass

    return call, session.close


def _httpx(
    url: str, library: str
) -> tuple[Callable[[bytes], Awaitable[None]], Callable[[], Awaitable[None]]]:
    import ssl  # noqa: PLC0415

    httpx: Any = importlib.import_module(library)
    client = httpx.AsyncClient(
        verify=ssl.create_default_context(),
        trust_env=False,
        timeout=httpx.Timeout(600, connect=10),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
    )

    async def call(body: bytes) -> None:
        async with client.stream("POST", url, content=body, headers=HEADERS) as answer:
            async for _ in answer.aiter_raw():
                pass

    return call, client.aclose


def _httpcore2(
    url: str,
) -> tuple[Callable[[bytes], Awaitable[None]], Callable[[], Awaitable[None]]]:
    import httpcore2  # noqa: PLC0415

    pool = httpcore2.AsyncConnectionPool(max_connections=None)
    timeouts = {"timeout": {"connect": 10.0, "read": 600.0, "write": 600.0, "pool": 10.0}}
    headers = [(k.encode(), v.encode()) for k, v in HEADERS.items()]

    async def call(body: bytes) -> None:
        sized = [
            (b"host", b"127.0.0.1"),
            *headers,
            (b"content-length", str(len(body)).encode()),
        ]
        answer = await pool.handle_async_request(
            httpcore2.Request("POST", url, headers=sized, content=body, extensions=timeouts)
        )
        async for _ in answer.aiter_stream():
            pass
        await answer.aclose()

    return call, pool.aclose


def _adapter(
    url: str, name: str
) -> tuple[Callable[[bytes], Awaitable[None]], Callable[[], Awaitable[None]]]:
    from bursar.domain.upstream import UpstreamRequest  # noqa: PLC0415

    upstream: Any
    if name == "adapter-aiohttp":
        from bursar.upstream.aiohttp_client import AiohttpUpstream  # noqa: PLC0415

        upstream = AiohttpUpstream()
    else:
        from bursar.upstream.httpcore2_client import Httpcore2Upstream  # noqa: PLC0415

        upstream = Httpcore2Upstream()

    async def call(body: bytes) -> None:
        answer = await upstream.send(
            UpstreamRequest(
                provider="bench", url=url, headers=HEADERS, body=body, allows_private=True
            )
        )
        async for _ in answer.chunks():
            pass
        await answer.close()

    return call, upstream.close


def _client(
    name: str, url: str
) -> tuple[Callable[[bytes], Awaitable[None]], Callable[[], Awaitable[None]]]:
    if name == "aiohttp":
        return _aiohttp(url)
    if name in ("httpx", "httpx2"):
        return _httpx(url, name)
    if name == "httpcore2":
        return _httpcore2(url)
    return _adapter(url, name)


async def _measure(name: str, port: int) -> dict[str, float]:
    for module in ALREADY_IMPORTED:
        with contextlib.suppress(ModuleNotFoundError):  # httpx 0.28's own environment
            importlib.import_module(module)
    started = time.process_time()
    call, close = _client(name, f"http://127.0.0.1:{port}/v1/chat/completions")
    ready_ms = (time.process_time() - started) * 1e3
    await call(BODY)
    first_ms = (time.process_time() - started) * 1e3
    result = {"import and construct, ms": ready_ms, "to the first answer, ms": first_ms}
    for _ in range(50):
        await call(BODY)
    for concurrency in CONCURRENCIES:
        cpu_us = await _cpu_us_a_request(call, concurrency, REQUESTS[concurrency])
        result[f"c={concurrency}, us"] = cpu_us
    result["burst event, us"] = await _cpu_us_an_event(call, STREAM_BODY, at_once=1)
    paced = STREAM_BODY.replace(b'"bench"', b'"bench-paced"')
    result["paced event, us"] = await _cpu_us_an_event(call, paced, at_once=8)
    await close()
    return result


async def _cpu_us_a_request(
    call: Callable[[bytes], Awaitable[None]], concurrency: int, requests: int
) -> float:
    async def worker(share: int) -> None:
        for _ in range(share):
            await call(BODY)

    await asyncio.gather(*(worker(2) for _ in range(concurrency)))
    share = requests // concurrency
    started = time.process_time()
    await asyncio.gather(*(worker(share) for _ in range(concurrency)))
    return (time.process_time() - started) / (share * concurrency) * 1e6


async def _cpu_us_an_event(
    call: Callable[[bytes], Awaitable[None]], body: bytes, at_once: int
) -> float:
    streams = STREAMS if at_once == 1 else at_once
    started = time.process_time()
    for _ in range(streams // at_once):
        await asyncio.gather(*(call(body) for _ in range(at_once)))
    return (time.process_time() - started) / (streams * EVENTS) * 1e6


def _run_worker(python: str, name: str, port: int) -> dict[str, float]:
    done = subprocess.run(
        [python, __file__, "--worker", name, "--port", str(port)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'shared'}{os.pathsep}{ROOT}"},
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _print_table(results: dict[str, list[dict[str, float]]]) -> None:
    columns = list(next(iter(results.values()))[0])
    print("| client | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, rounds in results.items():
        cells = [f"{statistics.median(one[column] for one in rounds):.0f}" for column in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--httpx-python")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--worker")
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(asyncio.run(_measure(options.worker, options.port))))
        return
    names = ["aiohttp", "httpx2", "httpcore2", "adapter-aiohttp", "adapter-httpcore2"]
    pythons = dict.fromkeys(names, sys.executable)
    if options.httpx_python:
        pythons["httpx"] = options.httpx_python
    if options.only:
        pythons = {name: python for name, python in pythons.items() if name in options.only}
    results: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.fast_upstream"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as upstream:
        assert upstream.stdout is not None
        port = int(upstream.stdout.readline())
        try:
            for _ in range(options.rounds):
                for name, python in pythons.items():
                    results[name].append(_run_worker(python, name, port))
        finally:
            upstream.terminate()
    _print_table(results)


if __name__ == "__main__":
    main()
