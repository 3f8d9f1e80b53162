from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bursar.domain.projects import Project, ProviderKey, VaultShare
from bursar.services.platform.in_force import key_in_force, opens_vault, share_in_force

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PROJECT = Project("p1", "web", NOW, NOW, encryption_key="old")
KEY = ProviderKey("k1", "p1", "openai", "sealed for old", NOW, "old", 3)
REPLACED_KEY = replace(
    KEY,
    encrypted_key="sealed for new",
    sealed_to="new",
    version=4,
    previous_encrypted_key="sealed for old",
    previous_sealed_to="old",
    previous_version=3,
    previous_valid_until=NOW,
)
SHARE = VaultShare(
    "key/1", "p1", "holder", "old shared", "vouched by old", NOW, NOW, sealed_to="old"
)
REPLACED_SHARE = replace(
    SHARE,
    sealed="new shared",
    voucher="vouched by new",
    sealed_to="new",
    previous_sealed="old shared",
    previous_voucher="vouched by old",
    previous_sealed_to="old",
    previous_valid_until=NOW,
)


def test_what_was_written_under_a_key_that_never_became_the_vaults_counts_as_not_written() -> None:
    assert key_in_force(REPLACED_KEY, PROJECT) == KEY
    assert share_in_force(REPLACED_SHARE, PROJECT) == SHARE


def test_what_was_written_counts_once_the_project_has_the_key() -> None:
    rotated = replace(PROJECT, encryption_key="new", previous_encryption_key="old")
    assert key_in_force(REPLACED_KEY, rotated) is REPLACED_KEY
    assert share_in_force(REPLACED_SHARE, rotated) is REPLACED_SHARE


@pytest.mark.parametrize("encryption_key", ["third", None])
def test_what_no_present_key_opens_is_left_as_it_is(encryption_key: str | None) -> None:
    other = replace(PROJECT, encryption_key=encryption_key)
    for key in (KEY, REPLACED_KEY, replace(KEY, sealed_to=None)):
        assert key_in_force(key, other) is key
    for share in (SHARE, REPLACED_SHARE):
        assert share_in_force(share, other) is share


def test_a_share_opens_the_vault_whose_key_it_was_made_from() -> None:
    assert opens_vault(SHARE, PROJECT)
    assert not opens_vault(SHARE, replace(PROJECT, encryption_key="new"))
