"""moto's DynamoDB in this process: for a try on a machine where dynoxide cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable


def start_moto() -> tuple[str, Callable[[], None]]:
    """Start moto's server on a free loopback port; its URL and what stops it.

    It keeps everything in memory, and it is neither fast nor faithful in every corner.

    Raises:
        StoreUnavailable: moto is not installed, as in the container image.
    """
    # Imported here, because it takes seconds and most runs never need it.
    try:
        from moto.server import ThreadedMotoServer  # noqa: PLC0415
    except ImportError as missing:
        raise StoreUnavailable(
            "There is no DynamoDB engine: put dynoxide on PATH, or set DYNAMODB_ENDPOINT"
        ) from missing

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}", server.stop
