"""Connections of httpcore2 to addresses that may be connected to, and to no others."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Final

import httpcore2

from bursar.upstream.addresses import MetadataAddress, PrivateAddress, check_address

if TYPE_CHECKING:
    from collections.abc import Iterable

# How long an address is tried while there is another one to try.
_ATTEMPT_S: Final = 2.0


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Resolves a name itself, so that what is looked at is what is connected to.

    Args:
        allows_private: connect to private networks too.
    """

    def __init__(self, *, allows_private: bool) -> None:
        self._allows_private = allows_private
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore2's signature)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                *others, last = await self._addresses(host, port)
                for address in others:
                    try:
                        return await self._inner.connect_tcp(
                            address, port, _ATTEMPT_S, local_address, socket_options
                        )
                    except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                        continue
                return await self._inner.connect_tcp(
                    last, port, None, local_address, socket_options
                )
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout from error
        except OSError as error:
            raise httpcore2.ConnectError from error

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to, in the resolver's order.

        Raises:
            OSError: the name does not resolve, or to none of them.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        allowed: list[str] = []
        refused: OSError = socket.gaierror("no addresses")
        for *_, address in found:
            try:
                check_address(str(address[0]), allows_private=self._allows_private)
            except (MetadataAddress, PrivateAddress) as reason:
                refused = reason
            else:
                allowed.append(str(address[0]))
        if not allowed:
            raise refused
        return list(dict.fromkeys(allowed))
