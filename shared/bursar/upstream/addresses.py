"""Which addresses the gateway connects to for a provider, decided when it connects.

A base URL is text that somebody wrote, and its host name may resolve to anything, to another
address at every lookup too. So it is the resolved address that is looked at, and the one that is
looked at is the one that is connected to.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

# What clouds answer their own machines at, with those machines' credentials among it: link-local
# addresses, and the ones beside them that AWS, Alibaba, Azure, Google and Oracle chose.
_METADATA: Final = tuple(
    ip_network(it)
    for it in (
        "169.254.0.0/16",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fe80::/10",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
    )
)
# All that IANA has given to hosts of the internet. What else there is of IPv6 leads into networks
# of somebody's own, and the lists of special addresses differ from one Python to the next.
_GLOBAL_IPV6: Final = IPv6Network("2000::/3")
# Special addresses that not every Python knows as such.
_RESERVED: Final = tuple(
    ip_network(it) for it in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "2001::/23")
)
# What ends in the address of IPv4 that it leads to: as a translator's, within an organization's
# own translator, as a mapped one that is translated, and as a compatible one of old.
_ENDING_IN_IPV4: Final = tuple(
    IPv6Network(it) for it in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")
)
_UNSPECIFIED_OR_LOOPBACK: Final = IPv6Network("::/127")
_IPV4_BITS: Final = 0xFFFF_FFFF


class PrivateAddress(OSError):
    """An address of a private network, which the provider may not stand in."""

    def __init__(self) -> None:
        super().__init__("a private address")


class MetadataAddress(OSError):
    """An address of the cloud's own, which no provider stands at."""

    def __init__(self) -> None:
        super().__init__("a metadata address")


def check_address(text: str, *, allows_private: bool) -> None:
    """Look at a resolved address.

    Args:
        text: an address of IPv4 or IPv6, perhaps with a zone.
        allows_private: it may be in a private network, or this machine's own.

    Raises:
        MetadataAddress: never to be connected to.
        PrivateAddress: not to be connected to for this provider.
    """
    address = _innermost(ip_address(text.partition("%")[0]))
    if any(address in network for network in _METADATA):
        raise MetadataAddress
    if not allows_private and not _is_public(address):
        raise PrivateAddress


def guarded_socket(info: Any, *, allows_private: bool) -> socket.socket:
    """A socket for an entry of `getaddrinfo`, if that may be connected to.

    Raises:
        MetadataAddress, PrivateAddress: see `check_address`.
    """
    family, kind, protocol, _, address = info
    check_address(address[0], allows_private=allows_private)
    return socket.socket(family, kind, protocol)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_IPV6:
        return False
    is_reserved = any(address in network for network in _RESERVED)
    return address.is_global and not address.is_multicast and not is_reserved


def _innermost(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address of IPv4 that one of IPv6 leads to, where it does."""
    if isinstance(address, IPv4Address) or address in _UNSPECIFIED_OR_LOOPBACK:
        return address
    if any(address in network for network in _ENDING_IN_IPV4):
        return IPv4Address(int(address) & _IPV4_BITS)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
