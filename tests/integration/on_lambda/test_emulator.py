"""AWS's Runtime Interface Emulator, which SAM's command line carries, takes the streamed answer.

It hands the answer on only when it is over, and as it was posted: prelude, NULs and body in one.
"""

from __future__ import annotations

import json
import platform
import sys
from typing import TYPE_CHECKING

import httpx2
import pytest

from functions.server.answering import wait_until_it_answers
from tests.engines import ROOT
from tests.fakes.lambda_runtime import a_table, running
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
_INVOKE = "/2015-03-31/functions/function/invocations"


def emulator() -> Path | None:
    name = f"aws-lambda-rie-{_MACHINES.get(platform.machine(), 'none')}"
    found = (ROOT / ".venv-sam").glob(f"lib/*/site-packages/samcli/local/rapid/{name}")
    return next(found, None)


@pytest.mark.skipif(sys.platform != "linux", reason="the emulator is there for Linux only")
@pytest.mark.skipif(emulator() is None, reason="no SAM command line here: make env")
async def test_the_emulator_takes_streams_and_hands_on_what_was_posted(
    dynoxide: str, tmp_path: Path
) -> None:
    table = await a_table(dynoxide)
    port, api_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    event = (ROOT / "events" / "rest-chat-stream.json").read_bytes()
    command = [
        str(emulator()),
        "--runtime-interface-emulator-address",
        f"127.0.0.1:{port}",
        "--runtime-api-address",
        f"127.0.0.1:{api_port}",
    ]
    with running(command, tmp_path, table.environ) as process:
        assert wait_until_it_answers(url, 20, is_alive=lambda: process.poll() is None)
        async with httpx2.AsyncClient(timeout=30) as client:
            first = await client.post(f"{url}{_INVOKE}", content=event)
            second = await client.post(f"{url}{_INVOKE}", content=event)

    for answer in (first, second):
        prelude, nuls, body = answer.content.partition(bytes(8))
        assert nuls, (tmp_path / "output").read_text()
        assert json.loads(prelude)["statusCode"] == 200, body
        assert body.startswith(b"data: {")
        assert body.endswith(b"data: [DONE]\n\n")
