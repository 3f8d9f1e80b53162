"""Gateways' addresses as people write them."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from bursar.cli.failures import WRONG_USAGE, Failed

_LOCAL_NAME: Final = "local"


def read_address(text: str) -> str:
    """A gateway's root, from an address with or without a scheme, or an SDK's base URL.

    Raises:
        Failed: it is none; says how to write one.
    """
    written = text.strip()
    if "://" not in written:
        scheme = "http" if is_local(f"http://{written}") else "https"
        written = f"{scheme}://{written}"
    scheme, _, rest = written.partition("://")
    written = f"{scheme.lower()}://{rest}"
    written = written.rstrip("/").removesuffix("/v1").rstrip("/")
    if not _is_address(written):
        raise Failed(
            f"{text!r} is no gateway's address: write it as in https://gateway.example.com",
            WRONG_USAGE,
        )
    return written


def _is_address(written: str) -> bool:
    try:
        parts = urlsplit(written)
        # Reading the port checks it.
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    is_plain = written.isprintable() and " " not in written and parts.path.isascii()
    has_more = parts.query or parts.fragment or parts.username is not None
    return parts.scheme in ("http", "https") and is_whole and is_plain and not has_more


def is_local(url: str) -> bool:
    """Tell whether an address leads to this machine."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_plain(url: str) -> bool:
    """Tell whether what is sent there crosses a network, and in the clear."""
    return url.lower().startswith("http://") and not is_local(url)


def check_is_private(url: str, *, may_be_plain: bool) -> None:
    """Raises Failed where a secret would be sent over a network in the clear."""
    if is_plain(url) and not may_be_plain:
        secure = f"https{url[len('http') :]}"
        raise Failed(
            f"A secret would cross the network in the clear: use {secure}, or, in a network "
            f"that you trust, bursar login {url} --plain-http",
            WRONG_USAGE,
        )


def name_for(url: str) -> str:
    """What a profile of an address is called where nobody says."""
    return _LOCAL_NAME if is_local(url) else urlsplit(url).hostname or _LOCAL_NAME
