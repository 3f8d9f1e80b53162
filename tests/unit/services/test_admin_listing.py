from __future__ import annotations

from bursar.domain.users import User
from bursar.memory import MemoryDirectory
from bursar.services.listing import everything, window
from tests.fakes.office import START


async def directory_with(count: int) -> MemoryDirectory:
    directory = MemoryDirectory()
    for number in range(count):
        await directory.users.put(User(f"u{number:05}", START, START, START))
    return directory


async def test_everything_reads_on_over_the_end_of_a_page() -> None:
    for count in (0, 499, 500, 501, 1200):
        directory = await directory_with(count)
        assert len([user async for user in everything(directory.users)]) == count


async def test_a_window_is_cut_out_of_a_stream() -> None:
    directory = await directory_with(5)
    seen = await window(everything(directory.users), skip=3, limit=10)
    assert [user.user_id for user in seen] == ["u00003", "u00004"]
    assert not await window(everything(directory.users), skip=5, limit=1)
