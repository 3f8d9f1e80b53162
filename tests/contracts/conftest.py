from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from bursar.store.boto3_call import Boto3Call
from bursar.store.connect import connect
from tests.contracts.stores import dynamo_ports, memory_ports, new_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.contracts.stores import Ports


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(port)


@pytest.fixture(scope="session")
def dynoxide_endpoint() -> Iterator[str]:
    local = Path(".bursar/bin/dynoxide")
    binary = str(local) if local.exists() else shutil.which("dynoxide")
    if binary is None:
        pytest.skip("dynoxide is not installed")
    port = _free_port()
    process = subprocess.Popen([binary, "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["memory", "signed", "boto3"])
async def ports(request: pytest.FixtureRequest) -> AsyncIterator[Ports]:
    if request.param == "memory":
        yield memory_ports()
        return
    endpoint = request.getfixturevalue("dynoxide_endpoint")
    is_signed = request.param == "signed"
    call = connect({"DYNAMODB_ENDPOINT": endpoint}) if is_signed else boto3_call(endpoint)
    yield dynamo_ports(call, await new_table(call))
    await call.close()


def boto3_call(endpoint: str) -> Boto3Call:
    return Boto3Call(
        boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(max_pool_connections=32),
        )
    )
