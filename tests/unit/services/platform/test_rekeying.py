from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bursar.domain.keys import digest_of
from bursar.domain.projects import ProviderKey, VaultShare, key_holder
from bursar.services.platform.issuing import IssuedForVault, issue_for_vault
from bursar.services.platform.rekeying import Rekeying, rekey, seal_provider_key
from bursar.vault import (
    Binding,
    CannotOpen,
    NotVouched,
    PrivateKey,
    open_sealed,
    open_share,
    wrapping_key,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OLD, NEW = PrivateKey.generate(), PrivateKey.generate()
PLAIN = "sk-provider-key"


def _provider_key(sealed_format: int, version: int = 3) -> ProviderKey:
    sealed = seal_provider_key(PLAIN, OLD.public, "p1", "openai", version, sealed_format)
    return ProviderKey("k1", "p1", "openai", sealed, NOW, str(OLD.public), version)


def _share(issued: IssuedForVault) -> VaultShare:
    made = issued.share
    holder = key_holder(issued.digest)
    return VaultShare(holder, "p1", made.public_key, made.sealed, made.voucher, NOW, NOW)


def _opened(text: str, virtual_key: str, holder_id: str) -> tuple[PrivateKey, int]:
    opened = open_share(text, wrapping_key(virtual_key), vault_id="p1", holder_id=holder_id)
    return opened.private_key, opened.oldest_format


def _rekeyed(*shares: VaultShare, sealed_format: int = 2, oldest_format: int = 1) -> Rekeying:
    key = _provider_key(sealed_format)
    return rekey(OLD, NEW, "p1", [key], shares, oldest_format=oldest_format)


def test_what_is_issued_opens_the_vault_by_its_text_and_is_found_by_its_digest() -> None:
    issued = issue_for_vault(OLD, "p1", oldest_format=2)

    assert issued.digest == digest_of(issued.virtual_key)
    assert issued.virtual_key not in repr(issued)
    holder = key_holder(issued.digest)
    assert _opened(issued.share.sealed, issued.virtual_key, holder) == (OLD, 2)


def test_the_stored_digest_does_not_open_the_vault() -> None:
    issued = issue_for_vault(OLD, "p1")

    with pytest.raises(CannotOpen):
        _opened(issued.share.sealed, issued.digest, key_holder(issued.digest))


def test_a_virtual_key_opens_the_vault_after_a_rotation_that_did_not_know_its_text() -> None:
    issued = issue_for_vault(OLD, "p1")

    changes = _rekeyed(_share(issued))

    ((holder, made),) = changes.shares
    assert _opened(made.sealed, issued.virtual_key, holder) == (NEW, 1)
    assert changes.encryption_key == str(NEW.public)


@pytest.mark.parametrize("sealed_format", [1, 2])
def test_a_provider_key_is_sealed_again_in_its_format_as_its_next_version(
    sealed_format: int,
) -> None:
    (key,) = _rekeyed(sealed_format=sealed_format).provider_keys

    assert key.version == 4
    binding = Binding("p1", "openai", "default", 4)
    oldest = sealed_format
    assert open_sealed(key.encrypted_key, NEW, binding, oldest_format=oldest) == PLAIN


def test_a_provider_key_without_a_text_needs_no_sealing() -> None:
    empty = replace(_provider_key(1), encrypted_key="")

    assert rekey(OLD, NEW, "p1", [empty], []).provider_keys == []


def test_what_is_sealed_to_an_earlier_vault_key_stays_as_it_is() -> None:
    earlier = replace(_provider_key(1), sealed_to=str(PrivateKey.generate().public))

    assert rekey(OLD, NEW, "p1", [earlier], []).provider_keys == []


def test_a_rotation_does_not_share_with_a_holder_that_a_server_has_added() -> None:
    planted = replace(_share(issue_for_vault(OLD, "p1")), public_key=str(NEW.public))

    with pytest.raises(NotVouched):
        _rekeyed(planted)


def test_a_rotation_does_not_turn_swapped_provider_keys_into_sound_ones() -> None:
    swapped = replace(_provider_key(2), provider="anthropic")

    with pytest.raises(CannotOpen):
        rekey(OLD, NEW, "p1", [swapped], [])


def test_a_rotation_refuses_a_format_that_the_vault_has_left_behind() -> None:
    with pytest.raises(CannotOpen):
        _rekeyed(sealed_format=1, oldest_format=2)
