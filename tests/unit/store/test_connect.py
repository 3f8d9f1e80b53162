from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from bursar.aws.transport import ConnectFailed, Origin, Pool
from bursar.domain.errors import WrongSetting
from bursar.store.connect import connect, regional_endpoint
from tests.fakes.certificates import certificate_for_loopback
from tests.unit.store.scripted import says, scripted

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

REQUEST = b"POST / HTTP/1.1\r\nhost: db\r\ncontent-length: 0\r\n\r\n"
KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.mark.parametrize(
    ("url", "origin", "header"),
    [
        ("http://localhost:8000", Origin("localhost", 8000, is_tls=False), "localhost:8000"),
        ("http://db.example/", Origin("db.example", 80, is_tls=False), "db.example"),
        ("https://db.example", Origin("db.example", 443, is_tls=True), "db.example"),
        ("https://db.example:80", Origin("db.example", 80, is_tls=True), "db.example:80"),
        ("http://[::1]:8000", Origin("::1", 8000, is_tls=False), "[::1]:8000"),
    ],
)
def test_an_endpoint_names_a_server(url: str, origin: Origin, header: str) -> None:
    assert Origin.of(url) == origin
    assert origin.host_header == header


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://db.example", "http://", "http://a:b/"])
def test_an_endpoint_that_is_no_url_stops_the_start(url: str) -> None:
    with pytest.raises(WrongSetting):
        connect({"DYNAMODB_ENDPOINT": url})


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_without_an_endpoint_the_region_names_the_server(name: str) -> None:
    call = connect({**KEYS, name: "eu-central-1"})

    assert call._origin == Origin("dynamodb.eu-central-1.amazonaws.com", 443, is_tls=True)


def test_without_region_and_endpoint_the_start_stops() -> None:
    with pytest.raises(WrongSetting, match="AWS_REGION"):
        connect(KEYS)


def test_regions_in_china_have_their_own_domain() -> None:
    assert regional_endpoint("cn-north-1") == "https://dynamodb.cn-north-1.amazonaws.com.cn"


async def test_the_region_is_signed_for_and_the_keys_are_used() -> None:
    with scripted(says({})) as server:
        call = connect({**KEYS, "AWS_REGION": "eu-west-3", "DYNAMODB_ENDPOINT": server.origin})
        await call("ListTables", {})
        await call.close()

    assert "Credential=AKID/" in server.last.headers["authorization"]
    assert "/eu-west-3/dynamodb/aws4_request" in server.last.headers["authorization"]
    assert server.last.headers["host"] == f"127.0.0.1:{server.port}"


async def test_tls_is_spoken_with_a_server_whose_certificate_is_trusted(tmp_path: Path) -> None:
    server_tls, client_tls = certificate_for_loopback(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.ensure_future(asyncio.to_thread(answer_twice, listener, server_tls))
        origin = Origin("127.0.0.1", listener.getsockname()[1], is_tls=True)
        pool = Pool(origin, tls=client_tls)

        answers = [await pool.exchange(REQUEST) for _ in range(2)]

        pool.close()
        assert await serving
    assert [answer.status for answer in answers] == [200, 204]


async def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    server_tls, _ = certificate_for_loopback(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.ensure_future(asyncio.to_thread(answer_twice, listener, server_tls))
        origin = Origin("127.0.0.1", listener.getsockname()[1], is_tls=True)

        with pytest.raises(ConnectFailed, match="SSLCertVerificationError"):
            await Pool(origin).exchange(REQUEST)

        assert not await serving


def answer_twice(listener: socket.socket, tls: ssl.SSLContext) -> bool:
    """Answer two requests on one connection; False if the client does not shake hands."""
    accepted, _ = listener.accept()
    with accepted:
        try:
            connection = tls.wrap_socket(accepted, server_side=True)
        except OSError:
            return False
        with connection:
            for status in (b"200 OK", b"204 No Content"):
                connection.recv(1024)
                connection.sendall(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
    return True
