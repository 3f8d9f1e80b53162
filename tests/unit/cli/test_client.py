from __future__ import annotations

import ssl
from typing import Any

import pytest

from bursar.cli import client as module
from bursar.cli.client import client


@pytest.fixture(autouse=True)
def fresh() -> None:
    module._client.cache_clear()


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """The contexts that read a trust store."""
    found: list[ssl.SSLContext] = []
    own = ssl.SSLContext.load_verify_locations

    def load(context: ssl.SSLContext, *arguments: Any, **options: Any) -> None:
        found.append(context)
        own(context, *arguments, **options)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    return found


def _context(url: str) -> ssl.SSLContext:
    """What its connections are secured with."""
    context: ssl.SSLContext = client(url)._transport._pool._ssl_context  # type: ignore[attr-defined]
    return context


def test_with_tls_a_server_must_prove_who_it_is() -> None:
    for url in ("https://gateway.example.com", "HTTPS://gateway.example.com", "gateway"):
        context = _context(url)
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_without_tls_no_trust_store_is_read(stores: list[ssl.SSLContext]) -> None:
    client("http://127.0.0.1:8000")
    assert stores == []


def test_requests_of_a_scheme_share_their_connections() -> None:
    assert client("http://a") is client("http://b")
    assert client("http://a") is not client("https://a")


def test_no_redirect_is_followed_with_a_master_key() -> None:
    assert not client("http://a").follow_redirects
    assert not client("https://a").follow_redirects
