"""Keys of another gateway's format are accepted where they were taken over, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import Unauthenticated
from bursar.domain.keys import FOREIGN_KEYS, VirtualKey, digest_of
from tests.fakes.world import World

if TYPE_CHECKING:
    from bursar.memory import MemoryDirectory

KEY = "sk-dUmmyKeyOfAnotherProxy_0123"
WRONG_FORMAT = "Invalid API key format: API key must start with 'gw-' prefix"


async def _refusal(world: World, presented: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        await world.identity.authenticate(presented)
    return refused.value.message


async def _with_foreign_key(*, is_active: bool = True) -> World:
    world = World()
    directory = world.storage.directory
    digest = digest_of(KEY)
    record = VirtualKey("foreign", "alice", digest, world.now, is_active=is_active)
    await directory.keys.put(record)
    await directory.link_digest(FOREIGN_KEYS, record.key_id)
    await directory.link_digest(digest, record.key_id)
    return world


async def test_a_key_of_another_format_works_once_it_was_taken_over() -> None:
    world = await _with_foreign_key()
    credential = await world.identity.authenticate(KEY)
    assert credential.key is not None
    assert credential.key.key_id == "foreign"


async def test_an_unknown_one_is_refused_in_the_words_of_a_wrong_format() -> None:
    assert await _refusal(await _with_foreign_key(), f"{KEY}4") == WRONG_FORMAT


async def test_an_inactive_one_is_refused_as_inactive() -> None:
    assert await _refusal(await _with_foreign_key(is_active=False), KEY) == "API key is inactive"


async def test_a_record_alone_opens_nothing_where_no_format_but_one_was_allowed() -> None:
    world = await _with_foreign_key()
    await world.storage.directory.unlink_digest(FOREIGN_KEYS)
    assert await _refusal(world, KEY) == WRONG_FORMAT


async def test_the_name_of_the_link_is_no_key() -> None:
    assert await _refusal(await _with_foreign_key(), FOREIGN_KEYS) == WRONG_FORMAT


@pytest.mark.parametrize("presented", ["", "sk-1", "sk with spaces in it", "sk-ü" * 9, "k" * 257])
async def test_what_can_be_no_key_is_never_looked_up(
    presented: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await _with_foreign_key()
    monkeypatch.setattr(type(world.storage.directory), "key_id_of", _never)
    assert "Invalid API key format" in await _refusal(world, presented)


async def _never(directory: MemoryDirectory, digest: str) -> str | None:
    raise AssertionError(f"{digest} was looked up")
