from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

import pytest

from bursar.services.master_key import MasterKey
from infra.deployment import kept
from infra.deployment.kept import Kept

if TYPE_CHECKING:
    from pathlib import Path

KEYS = Kept("master-canary", "gw-canary", "openai:gpt-4o-mini")


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "new" / "stack.json"
    assert kept.load(file) == Kept()
    kept.save(file, KEYS)
    assert kept.load(file) == KEYS


def test_only_the_owner_can_read_it_even_where_a_draft_was_left_open(tmp_path: Path) -> None:
    draft = tmp_path / "stack.new"
    draft.write_text("left")
    draft.chmod(0o666)
    kept.save(tmp_path / "stack.json", KEYS)
    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600
    assert [it.name for it in tmp_path.iterdir()] == ["stack.json"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"master_key": "a"'])
def test_a_damaged_file_is_said_and_not_taken_for_a_new_stack(tmp_path: Path, content: str) -> None:
    file = tmp_path / "stack.json"
    file.write_text(content)
    with pytest.raises(ValueError, match="damaged"):
        kept.load(file)


def test_keys_are_not_in_the_representation() -> None:
    assert "canary" not in repr(KEYS)


def test_the_gateway_knows_a_new_master_key_by_the_digest_that_is_deployed() -> None:
    key = kept.new_master_key()
    assert MasterKey(kept.digest_of(key)).matches(key)
    assert kept.digest_of("a") == hashlib.sha256(b"a").hexdigest()
    assert kept.new_master_key() != key
