from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.accounts import key_account
from bursar.domain.errors import Conflict, NotFound, Unauthenticated
from bursar.domain.keys import VirtualKey, check_format, digest_of
from bursar.memory import MemoryDirectory
from bursar.services.admin_budgets import BudgetRequest
from bursar.services.admin_keys import IssuedKey, KeyRequest
from bursar.services.admin_users import UserRequest
from tests.fakes.office import Office

if TYPE_CHECKING:
    from bursar.domain.budgets import Budget

DAY_S = 86_400


@pytest.fixture
def office() -> Office:
    return Office()


async def record_behind(office: Office, virtual_key: str) -> VirtualKey:
    """The record that vouches for a key, as a gateway finds it."""
    directory, digest = office.services.directory, digest_of(virtual_key)
    key_id = await directory.key_id_of(digest)
    record = None if key_id is None else await directory.keys.get(key_id)
    if record is None:
        raise Unauthenticated("Invalid API key")
    record.check_usable(digest, office.now)
    return record


async def new_budget(office: Office, usd: str = "10", **fields: Any) -> Budget:
    wanted = BudgetRequest(max_budget_usd=Decimal(usd), duration_s=DAY_S, **fields)
    return (await office.services.budgets.create(wanted)).budget


async def test_a_new_key_has_the_known_format_and_is_found_by_its_digest(office: Office) -> None:
    issued = await office.services.keys.create(KeyRequest(key_name="search"))
    check_format(issued.virtual_key)
    assert len(issued.virtual_key) == 67
    assert await record_behind(office, issued.virtual_key) == issued.record


async def test_the_key_itself_is_stored_nowhere(office: Office) -> None:
    issued = await office.services.keys.create(KeyRequest())
    assert issued.virtual_key not in repr(issued)
    assert issued.virtual_key not in repr(
        await office.services.directory.keys.get(issued.record.key_id)
    )


async def test_a_key_without_a_user_gets_a_user_of_its_own(office: Office) -> None:
    named = await office.services.keys.create(KeyRequest(key_name="search"))
    unnamed = await office.services.keys.create(KeyRequest())
    for issued, name in ((named, "search"), (unnamed, "unnamed")):
        standing = await office.services.users.get(issued.record.user_id)
        assert standing.user.user_id == f"apikey-{issued.record.key_id}"
        assert standing.user.alias == f"Virtual user for API key: {name}"


async def test_an_unknown_user_is_created_with_the_key(office: Office) -> None:
    await office.services.keys.create(KeyRequest(user_id="alice"))
    assert (await office.services.users.get("alice")).user.alias == "User alice"


async def test_a_known_user_is_left_as_they_are(office: Office) -> None:
    await office.services.users.create(UserRequest("alice", alias="Alice"))
    issued = await office.services.keys.create(KeyRequest(user_id="alice"))
    assert issued.record.user_id == "alice"
    assert (await office.services.users.get("alice")).user.alias == "Alice"


async def test_a_deleted_user_gets_no_key(office: Office) -> None:
    await office.services.users.create(UserRequest("alice"))
    await office.services.users.remove("alice")
    with pytest.raises(NotFound) as caught:
        await office.services.keys.create(KeyRequest(user_id="alice"))
    assert caught.value.message == (
        "User 'alice' has been deleted. Recreate via POST /v1/users first."
    )
    assert not await office.services.keys.page(skip=0, limit=10)


async def test_a_key_with_an_unknown_budget_is_not_issued(office: Office) -> None:
    with pytest.raises(NotFound, match="Budget with id 'nope' not found"):
        await office.services.keys.create(KeyRequest(user_id="alice", budget_id="nope"))
    assert not await office.services.keys.page(skip=0, limit=10)
    with pytest.raises(NotFound):
        await office.services.users.get("alice")


class _BreaksBeforeTheLink(MemoryDirectory):
    async def link_digest(self, digest: str, key_id: str) -> None:
        raise ConnectionError(digest[:0] + key_id[:0])


async def test_a_crash_while_issuing_leaves_a_listed_key_that_does_not_work() -> None:
    office = Office(directory=_BreaksBeforeTheLink())
    with pytest.raises(ConnectionError):
        await office.services.keys.create(KeyRequest(key_name="half"))
    (record,) = await office.services.keys.page(skip=0, limit=10)
    assert record.key_name == "half"
    assert await office.services.directory.key_id_of(record.digest) is None


async def test_changes_touch_only_what_they_name(office: Office) -> None:
    issued = await office.services.keys.create(
        KeyRequest(key_name="a", user_id="alice", expires_at=office.now, metadata={"x": 1})
    )
    changed = await office.services.keys.change(issued.record.key_id, {"key_name": "b"})
    assert (changed.key_name, changed.expires_at, changed.metadata) == ("b", office.now, {"x": 1})


async def test_none_clears_a_value(office: Office) -> None:
    issued = await office.services.keys.create(
        KeyRequest(key_name="a", expires_at=office.now, metadata={"x": 1})
    )
    clear = {"key_name": None, "expires_at": None, "metadata": None}
    changed = await office.services.keys.change(issued.record.key_id, clear)
    assert (changed.key_name, changed.expires_at, changed.metadata) == (None, None, {})


async def test_unknown_keys_are_not_found(office: Office) -> None:
    keys = office.services.keys
    for attempt in (
        keys.get("nope"),
        keys.change("nope", {"key_name": "b"}),
        keys.rotate("nope", grace_s=0),
        keys.remove("nope"),
    ):
        with pytest.raises(NotFound, match=r"^API key with id 'nope' not found$"):
            await attempt


async def test_a_deleted_key_stops_working_and_is_not_listed(office: Office) -> None:
    issued = await office.services.keys.create(KeyRequest())
    await office.services.keys.remove(issued.record.key_id)
    with pytest.raises(Unauthenticated):
        await record_behind(office, issued.virtual_key)
    assert await office.services.directory.key_id_of(issued.record.digest) is None
    with pytest.raises(NotFound):
        await office.services.keys.remove(issued.record.key_id)


async def rotate(office: Office, issued: IssuedKey, grace_s: int) -> IssuedKey:
    return await office.services.keys.rotate(issued.record.key_id, grace_s=grace_s)


async def test_rotation_keeps_the_record_and_replaces_the_key(office: Office) -> None:
    old = await office.services.keys.create(KeyRequest(key_name="a", user_id="alice"))
    new = await rotate(office, old, 0)
    assert new.virtual_key != old.virtual_key
    assert (new.record.key_id, new.record.user_id) == (old.record.key_id, "alice")
    assert await record_behind(office, new.virtual_key) == new.record


async def test_without_grace_the_replaced_key_stops_at_once(office: Office) -> None:
    old = await office.services.keys.create(KeyRequest())
    await rotate(office, old, 0)
    with pytest.raises(Unauthenticated, match=r"^Invalid API key$"):
        await record_behind(office, old.virtual_key)


async def test_in_its_grace_period_the_replaced_key_works_and_then_no_longer(
    office: Office,
) -> None:
    old = await office.services.keys.create(KeyRequest())
    new = await rotate(office, old, 60)
    assert new.record.previous_valid_until == office.now + timedelta(seconds=60)
    office.wait(seconds=59.9)
    await record_behind(office, old.virtual_key)
    office.wait(seconds=0.1)
    with pytest.raises(Unauthenticated):
        await record_behind(office, old.virtual_key)
    await record_behind(office, new.virtual_key)


async def test_a_second_rotation_ends_the_first_ones_grace(office: Office) -> None:
    first = await office.services.keys.create(KeyRequest())
    second = await rotate(office, first, 3600)
    third = await rotate(office, second, 3600)
    with pytest.raises(Unauthenticated):
        await record_behind(office, first.virtual_key)
    await record_behind(office, second.virtual_key)
    await record_behind(office, third.virtual_key)
    assert await office.services.directory.key_id_of(first.record.digest) is None


async def test_deleting_a_rotated_key_unlinks_both_digests(office: Office) -> None:
    old = await office.services.keys.create(KeyRequest())
    new = await rotate(office, old, 3600)
    await office.services.keys.remove(old.record.key_id)
    for issued in (old, new):
        assert await office.services.directory.key_id_of(issued.record.digest) is None


async def test_a_keys_spending_follows_it_into_another_budget(office: Office) -> None:
    first, second = await new_budget(office, "10"), await new_budget(office, "5")
    issued = await office.services.keys.create(KeyRequest(budget_id=first.budget_id))
    account = key_account(issued.record, first, office.now)
    assert account is not None
    await office.spend(account, "3")
    office.wait(hours=1)
    changed = await office.services.keys.change(
        issued.record.key_id, {"budget_id": second.budget_id}
    )
    moved_to = key_account(changed, second, office.now)
    assert moved_to is not None
    assert moved_to.period.start == office.now
    balances = await office.services.ledger.balances([moved_to])
    assert balances[moved_to].committed_usd == 3


async def test_a_keys_budget_can_be_taken_away(office: Office) -> None:
    budget = await new_budget(office)
    issued = await office.services.keys.create(KeyRequest(budget_id=budget.budget_id))
    changed = await office.services.keys.change(issued.record.key_id, {"budget_id": None})
    assert (changed.budget_id, changed.budget_started_at) == (None, None)


async def test_a_projects_key_is_not_replaced_by_one_that_cannot_open_its_vault(
    office: Office,
) -> None:
    issued = await office.services.keys.create(KeyRequest())
    key_id = issued.record.key_id
    await office.services.directory.keys.change(key_id, {"project_id": "p1"})
    with pytest.raises(Conflict, match="rotate-key"):
        await office.services.keys.rotate(key_id, grace_s=60)
    assert (await record_behind(office, issued.virtual_key)).previous_digest is None


async def test_deactivating_a_users_keys_leaves_the_others_alone(office: Office) -> None:
    hers = [await office.services.keys.create(KeyRequest(user_id="alice")) for _ in range(2)]
    his = await office.services.keys.create(KeyRequest(user_id="bob"))
    await office.services.keys.deactivate_all_of("alice")
    for issued in hers:
        with pytest.raises(Unauthenticated, match=r"^API key is inactive$"):
            await record_behind(office, issued.virtual_key)
    await record_behind(office, his.virtual_key)
