from __future__ import annotations

import hashlib

import pytest

from bursar.domain.errors import NotConfigured, Unauthenticated, WrongSetting
from bursar.services.master_key import MasterKey

PLAIN = "correct horse battery staple"


def test_only_the_master_key_matches() -> None:
    master_key = MasterKey.of(PLAIN)
    assert master_key.matches(PLAIN)
    assert not master_key.matches(PLAIN + " ")
    assert not master_key.matches("")


def test_a_digest_stands_for_the_key_and_does_not_open_anything_itself() -> None:
    digest = hashlib.sha256(PLAIN.encode()).hexdigest()
    master_key = MasterKey(digest.upper() + "\n")
    assert master_key.matches(PLAIN)
    assert not master_key.matches(digest)


def test_without_a_master_key_nothing_matches() -> None:
    master_key = MasterKey(None)
    assert not master_key.matches("")
    with pytest.raises(NotConfigured, match="Master key not configured"):
        master_key.check("anything")


def test_another_credential_is_refused_with_the_known_message() -> None:
    with pytest.raises(Unauthenticated, match=r"^Invalid master key$"):
        MasterKey.of(PLAIN).check("gw-" + "a" * 64)


@pytest.mark.parametrize("digest", ["", "abc", "z" * 64, "a" * 63])
def test_what_is_not_a_digest_stops_the_start(digest: str) -> None:
    with pytest.raises(WrongSetting, match="BURSAR_MASTER_KEY_DIGEST"):
        MasterKey(digest)


def test_an_empty_master_key_stops_the_start() -> None:
    with pytest.raises(WrongSetting, match="BURSAR_MASTER_KEY is empty"):
        MasterKey.of("")


def test_a_header_with_undecodable_bytes_is_compared_and_not_an_error() -> None:
    assert not MasterKey.of(PLAIN).matches("\udcff")


def test_the_representation_shows_neither_key_nor_digest() -> None:
    master_key = MasterKey.of(PLAIN)
    assert PLAIN not in repr(master_key)
    assert hashlib.sha256(PLAIN.encode()).hexdigest() not in repr(master_key)
