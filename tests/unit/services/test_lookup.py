from __future__ import annotations

from bursar.domain.keys import digest_of
from bursar.services.admin_keys import IssuedKey, KeyRequest
from bursar.services.lookup import Lookup
from tests.fakes.office import Office


async def found(lookup: Lookup, issued: IssuedKey) -> bool:
    digest = digest_of(issued.virtual_key)
    record = await lookup.key_of(digest)
    return record is not None and digest in {record.digest, record.previous_digest}


async def test_a_rotated_key_works_at_once_where_the_old_record_is_remembered() -> None:
    office = Office()
    lookup = Lookup(office.services.directory, age_s=3600)
    old = await office.services.keys.create(KeyRequest())
    assert await found(lookup, old)
    new = await office.services.keys.rotate(old.record.key_id, grace_s=60)
    assert await found(lookup, new)
    assert await found(lookup, old)


async def test_a_key_rotated_away_is_recognised_no_more_once_the_new_one_was_seen() -> None:
    office = Office()
    lookup = Lookup(office.services.directory, age_s=3600)
    old = await office.services.keys.create(KeyRequest())
    assert await found(lookup, old)
    new = await office.services.keys.rotate(old.record.key_id, grace_s=0)
    assert await found(lookup, new)
    assert not await found(lookup, old)
