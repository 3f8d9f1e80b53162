from __future__ import annotations

import json
import subprocess
import sys
from select import select
from typing import TYPE_CHECKING, Any

import pytest

from bursar.cli import client, sending
from bursar.cli.connection import HttpConnection
from bursar.cli.failures import Failed, RefusedByGateway
from tests.unit.cli.certificates import Authority
from tests.unit.cli.http_server import Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEY = "bursar-master-secret"
# All that asking a gateway over HTTP takes; what draws, streams or signs costs more than the rest.
_HEAVY = {"boto3", "httpcore2", "httpx2", "keyring", "msgspec", "nacl", "pydantic", "rich"}
_MODULES_MAX = 200
_PROGRAM = """
import sys
from bursar.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(sorted(sys.modules)) if (json := sys.modules["json"]) else "", file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither connections nor variables of another."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    yield
    _forget()


def _forget() -> None:
    for connection in sending._connections.values():
        connection.close()
    sending._connections.clear()
    if client._client.cache_info().currsize:
        client._client(is_plain=True).close()
    client._client.cache_clear()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


def _ask(server: Server, path: str = "/v1/keys", **query: object) -> Any:
    return HttpConnection(server.url, _KEY).ask("GET", path, query=query)


def test_requests_share_a_connection(server: Server) -> None:
    for _ in range(3):
        assert _ask(server, limit=1) == []
    assert len(set(server.ports)) == 1
    path, headers = server.asked[0]
    assert path == "/v1/keys?limit=1"
    assert headers["authorization"] == f"Bearer {_KEY}"
    assert headers["user-agent"] == "bursar"


def test_a_connection_that_the_server_closed_is_opened_again(server: Server) -> None:
    server.closes = True
    for _ in range(3):
        _ask(server)
        _wait_until_closed(server)
    assert len(server.asked) == 3


def _wait_until_closed(server: Server) -> None:
    connection = sending._connection("http", server.url.removeprefix("http://"))
    if connection.sock is not None:
        assert select([connection.sock], [], [], 10)[0]


def test_after_an_interrupt_the_next_answer_is_the_next_requests(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = sending._connection("http", server.url.removeprefix("http://"))

    def interrupted() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(connection, "getresponse", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _ask(server)
    server.body = b'["mine"]'
    assert _ask(server) == ["mine"]


def test_no_redirect_is_followed_and_where_it_leads_is_said(server: Server) -> None:
    with serving() as other:
        server.status, server.headers = 301, {"location": f"{other.url}/v1/keys?limit=1"}
        with pytest.raises(Failed, match=f"leads on to {other.url}/v1/keys: "):
            _ask(server)
        assert other.asked == []


def test_what_stands_in_front_is_told_from_the_gateway(server: Server) -> None:
    server.status, server.body = 502, b"<html>Bad Gateway</html>"
    server.headers = {"apigw-requestid": "abc="}
    with pytest.raises(RefusedByGateway, match=r"502.*try again.*request abc=") as raised:
        _ask(server)
    assert raised.value.request_id == "abc="
    server.status = 404
    with pytest.raises(RefusedByGateway, match=r"404.*is the address right"):
        _ask(server)


def test_a_proxy_is_asked_where_the_environment_names_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    assert HttpConnection("http://gateway.invalid", _KEY).ask("GET", "/v1/keys") == []
    assert server.asked[0][0] == "http://gateway.invalid/v1/keys"


def test_no_proxy_is_asked_for_what_needs_none(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert _ask(server) == []


def test_a_key_that_no_header_can_hold_is_refused_without_being_told() -> None:
    for key in ("two\nlines-secret", "sécret", "secret\x1b[2J"):
        with pytest.raises(Failed) as raised:
            HttpConnection("http://127.0.0.1:9", key).ask("GET", "/v1/keys")
        assert "cret" not in raised.value.message


@pytest.mark.parametrize("proxied", [False, True])
def test_it_is_said_why_nothing_answers(*, proxied: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if proxied:
        # The other client, which no proxy keeps from these.
        monkeypatch.setattr(sending, "has_proxy", lambda: True)
    with pytest.raises(Failed, match=r"http://127.0.0.1:9 does not answer: nothing listens"):
        HttpConnection("http://127.0.0.1:9").ask("GET", "/")
    with (
        serving() as plain,
        pytest.raises(Failed, match=r"does not answer: it speaks no TLS"),
    ):
        HttpConnection(plain.url.replace("http", "https")).ask("GET", "/")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.made(tmp_path)


def test_with_tls_an_own_authority_is_trusted_where_it_is_named(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(authority.context()) as secure:
        with pytest.raises(Failed, match=r"not trusted \(.*\)\. .*SSL_CERT_FILE"):
            _ask(secure)
        _forget()
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert _ask(secure) == []


@pytest.mark.parametrize(
    ("name", "days", "why"),
    [("gateway.example.com", 9, "IP address mismatch"), ("127.0.0.1", -1, "expired")],
)
def test_with_tls_a_server_must_prove_who_it_is_before_it_gets_a_key(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, name: str, days: int, why: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with serving(authority.context(name, days=days)) as secure:
        with pytest.raises(Failed, match=f"not trusted .*{why}"):
            _ask(secure)
        assert secure.asked == []


@pytest.mark.parametrize(
    "words", [("keys", "list"), ("keys", "list", "-o", "json"), ("status",), ("whoami",)]
)
def test_asking_a_gateway_imports_little(
    server: Server, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Start-up is imports: their number is what holds its time, on any machine."""
    environ = {
        "BURSAR_URL": server.url,
        "BURSAR_MASTER_KEY": _KEY,
        "XDG_CONFIG_HOME": str(tmp_path),
        "PATH": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=environ,
    )
    modules = json.loads(done.stderr.splitlines()[-1])
    assert not _HEAVY & {name.partition(".")[0] for name in modules}
    assert len(modules) <= _MODULES_MAX
