"""Ports for servers that tests start as processes."""

from __future__ import annotations

import socket
from random import SystemRandom

# Below the ports that the system gives to whoever asks for any: between the choice and the server's
# start it takes seconds, and meanwhile other tests open many.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    while True:
        port = SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
