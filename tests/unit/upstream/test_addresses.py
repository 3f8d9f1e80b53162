from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.upstream.addresses import MetadataAddress, PrivateAddress, check_address

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 (nothing is bound)
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",  # carriers' shared space
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",  # multicast
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",  # multicast that is global by scope
    "2001:db8::1",
    "::ffff:10.0.0.1",  # IPv4 in IPv6
    "::ffff:127.0.0.1",
    "64:ff9b::10.0.0.1",  # through NAT64
    "2002:0a00:0001::",  # 6to4 of 10.0.0.1
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",  # Teredo of 10.0.0.1
    "::1%lo",
    "::10.0.0.1",  # compatible with IPv4, of old
    "::ffff:0:10.0.0.1",  # translated to IPv4
    "64:ff9b:1::10.0.0.1",  # through an organization's own NAT64
    "192.0.0.8",  # reserved for protocols, wherever Python knows it
    "192.88.99.1",
    "3fff::1",  # for documentation
    "5f00::1",  # segment routing
    "4000::1",  # given to nobody
    "2001:20::1",
]
METADATA = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "2002:a9fe:a9fe::",
    "fd20:ce::254",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b:1::169.254.169.254",
]
PUBLIC = ["1.1.1.1", "52.94.236.248", "2606:4700:4700::1111", "64:ff9b::1.1.1.1", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_a_private_network_is_refused_unless_it_is_allowed(address: str) -> None:
    with pytest.raises(PrivateAddress):
        check_address(address, allows_private=False)
    check_address(address, allows_private=True)


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("allows_private", [False, True])
def test_an_address_where_clouds_hand_out_credentials_is_refused_always(
    address: str, *, allows_private: bool
) -> None:
    with pytest.raises(MetadataAddress):
        check_address(address, allows_private=allows_private)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_connected_to(address: str) -> None:
    check_address(address, allows_private=False)


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_is_as_private_as_it_is_itself(address: IPv4Address) -> None:
    outcomes = {_outcome(str(address))}
    outcomes.add(_outcome(f"::ffff:{address}"))
    outcomes.add(_outcome(f"64:ff9b::{address}"))
    outcomes.add(_outcome(f"64:ff9b:1::{address}"))
    outcomes.add(_outcome(f"::ffff:0:{address}"))
    outcomes.add(_outcome(str(IPv6Address((0x2002 << 112) | (int(address) << 80)))))
    assert len(outcomes) == 1


def _outcome(address: str) -> type[Exception] | None:
    try:
        check_address(address, allows_private=False)
    except OSError as refused:
        return type(refused)
    return None
