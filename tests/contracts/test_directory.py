from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.aliases import Alias, AliasTarget, Strategy, TierDown
from bursar.domain.budgets import Budget, Scope
from bursar.domain.keys import VirtualKey
from bursar.domain.periods import Calendar
from bursar.domain.price_history import PriceStatement
from bursar.domain.price_rates import RateTable, RateTier, Unit
from bursar.domain.pricing import Price
from bursar.domain.users import User

if TYPE_CHECKING:
    from bursar.ports import Directory
    from tests.contracts.stores import Ports

NOW = datetime(2026, 11, 22, 18, 30, 1, 123456, tzinfo=UTC)
LATER = NOW + timedelta(days=3)

BARE_KEY = VirtualKey("key-1", "alice", "0a" * 32, NOW)
FULL_KEY = VirtualKey(
    key_id="key-2",
    user_id="alice",
    digest="0b" * 32,
    created_at=NOW,
    key_name="laptop “blue”",
    last_used_at=NOW,
    expires_at=LATER,
    is_active=False,
    metadata={"team": "core", "weights": [1.5, 1e300, 0.1], "nested": {"none": None, "empty": ""}},
    allowed_models=("openai:gpt-4o*", "mistral:*"),
    budget_id="tier-1",
    budget_started_at=NOW,
    rate_limit_rpm=60,
    rate_limit_tpm=100_000,
    previous_digest="0c" * 32,
    previous_valid_until=LATER,
)
USER = User("alice", NOW, NOW, NOW)
FULL_USER = User(
    "bob",
    NOW,
    LATER,
    NOW,
    alias="Bob",
    budget_id="tier-1",
    budget_started_at=NOW,
    blocked=True,
    metadata={"big": 2**80, "deep": [[{"a": [True, False]}]]},
    allowed_models=(),
    rate_limit_rpm=0,
    rate_limit_tpm=1,
    deleted_at=LATER,
)
BUDGET = Budget("tier-1", NOW, NOW)
FULL_BUDGET = Budget(
    "tier-2", NOW, NOW, Decimal("12.34"), 86_400, Calendar.WEEK, "Europe/Berlin", Scope.POOL
)
PRICE = Price("openai:gpt-4o", Decimal("2.5"), Decimal(10), NOW, NOW)
FULL_PRICE = Price(
    "openrouter:meta-llama/llama-3",
    Decimal("0.000001"),
    Decimal("0.12345678901234567890"),
    NOW,
    NOW,
    cached_input_usd_per_million=Decimal(0),
    context_window_tokens=128_000,
    max_output_tokens=16_384,
    rates={Unit.CACHE_WRITE: Decimal("3.75"), Unit.WEB_SEARCH: Decimal(10)},
    tiers=(RateTier(200_000, {Unit.INPUT: Decimal(6), Unit.OUTPUT: Decimal("22.5")}),),
    service_tiers={
        "priority": RateTable({Unit.INPUT: Decimal(5)}, (RateTier(1, {Unit.OUTPUT: Decimal(1)}),))
    },
    effective_from=NOW,
    upcoming=(
        Price(
            "openrouter:meta-llama/llama-3",
            Decimal(1),
            None,
            NOW,
            NOW,
            rates={Unit.IMAGE: Decimal("0.04")},
            effective_from=LATER,
        ),
    ),
)
PATTERN = Price("openrouter:*", Decimal(1), Decimal(2), NOW, NOW)

ALIAS = Alias("fast", (AliasTarget("groq:llama"),), NOW, NOW)
FULL_ALIAS = Alias(
    "team:smart",
    (AliasTarget("openai:gpt-4o", 9), AliasTarget("openrouter:meta-llama/llama-3", 1)),
    NOW,
    LATER,
    Strategy.WEIGHTED,
    TierDown(Decimal("0.123456"), "openai:gpt-4o-mini"),
    retries=0,
    metadata={"owner": "search", "share": 0.1},
)


@pytest.fixture
def directory(ports: Ports) -> Directory:
    return ports.directory


@pytest.mark.parametrize(
    ("kind", "record_id", "record"),
    [
        ("keys", "key-1", BARE_KEY),
        ("keys", "key-2", FULL_KEY),
        ("users", "alice", USER),
        ("users", "bob", FULL_USER),
        ("budgets", "tier-1", BUDGET),
        ("budgets", "tier-2", FULL_BUDGET),
        ("prices", "openai:gpt-4o", PRICE),
        ("prices", "openrouter:meta-llama/llama-3", FULL_PRICE),
        ("price_patterns", "openrouter:*", PATTERN),
        ("aliases", "fast", ALIAS),
        ("aliases", "team:smart", FULL_ALIAS),
    ],
)
async def test_a_record_reads_back_as_it_was_stored(
    directory: Directory, kind: str, record_id: str, record: Any
) -> None:
    collection = getattr(directory, kind)

    await collection.put(record)

    assert await collection.get(record_id) == record
    assert await collection.page(skip=0, limit=10) == [record]


async def test_an_alias_changes_in_its_parts_and_loses_what_is_cleared(
    directory: Directory,
) -> None:
    await directory.aliases.put(FULL_ALIAS)
    targets = (AliasTarget("mistral:large", 2),)
    changes: dict[str, Any] = {
        "targets": targets,
        "tier_down": None,
        "strategy": Strategy.ORDERED,
    }

    changed = await directory.aliases.change("team:smart", changes)

    assert changed == replace(FULL_ALIAS, **changes)
    assert await directory.aliases.get("team:smart") == changed


async def test_what_was_never_stored_is_not_there(directory: Directory) -> None:
    assert await directory.users.get("alice") is None
    assert await directory.users.page(skip=0, limit=10) == []
    assert not await directory.users.remove("alice")
    assert await directory.users.change("alice", {"blocked": True}) is None
    assert await directory.users.get("alice") is None


@pytest.mark.parametrize("record_id", ["", "x" * 1025, "é" * 513, "x" * 5_000])
async def test_an_id_that_no_record_can_have_is_not_there(
    directory: Directory, record_id: str
) -> None:
    assert await directory.users.get(record_id) is None
    assert not await directory.users.remove(record_id)
    assert await directory.users.change(record_id, {"blocked": True}) is None


async def test_kinds_with_the_same_id_are_apart(directory: Directory) -> None:
    await directory.users.put(replace(USER, user_id="one"))

    assert await directory.keys.get("one") is None
    assert await directory.budgets.get("one") is None


async def test_adding_does_not_replace(directory: Directory) -> None:
    assert await directory.users.add(USER)
    assert not await directory.users.add(replace(USER, alias="Alice"))
    assert not await directory.users.add(USER)

    assert await directory.users.get("alice") == USER


async def test_of_many_who_add_the_same_id_one_succeeds(directory: Directory) -> None:
    records = [replace(USER, alias=f"Alice {number}") for number in range(10)]

    outcomes = await asyncio.gather(*(directory.users.add(record) for record in records))

    assert outcomes.count(True) == 1
    assert await directory.users.get("alice") == records[outcomes.index(True)]


async def test_putting_replaces_the_whole_record(directory: Directory) -> None:
    await directory.keys.put(FULL_KEY)
    bare = replace(BARE_KEY, key_id=FULL_KEY.key_id)

    await directory.keys.put(bare)

    assert await directory.keys.get(FULL_KEY.key_id) == bare


async def test_changing_sets_the_named_fields_and_keeps_the_others(directory: Directory) -> None:
    await directory.keys.put(FULL_KEY)
    changes: dict[str, Any] = {
        "is_active": True,
        "expires_at": NOW,
        "metadata": {"half": 0.5},
        "allowed_models": ("a:b",),
        "rate_limit_rpm": 1,
    }

    changed = await directory.keys.change(FULL_KEY.key_id, changes)

    assert changed == replace(FULL_KEY, **changes)
    assert await directory.keys.get(FULL_KEY.key_id) == changed


async def test_changing_to_none_clears(directory: Directory) -> None:
    await directory.keys.put(FULL_KEY)
    cleared: dict[str, Any] = {"expires_at": None, "allowed_models": None, "budget_id": None}

    changed = await directory.keys.change(FULL_KEY.key_id, cleared)

    assert changed == replace(FULL_KEY, **cleared)


async def test_a_field_with_a_default_is_cleared_to_it(directory: Directory) -> None:
    await directory.keys.put(FULL_KEY)

    changed = await directory.keys.change(
        FULL_KEY.key_id, {"metadata": None, "key_name": "phone", "is_active": None}
    )

    assert changed == replace(FULL_KEY, metadata={}, key_name="phone", is_active=True)


async def test_changing_enumerations_and_amounts_keeps_their_types(directory: Directory) -> None:
    await directory.budgets.put(BUDGET)

    changed = await directory.budgets.change(
        "tier-1",
        {"max_budget_usd": Decimal("0.10"), "calendar": Calendar.DAY, "scope": Scope.POOL},
    )

    assert changed == replace(
        BUDGET, max_budget_usd=Decimal("0.1"), calendar=Calendar.DAY, scope=Scope.POOL
    )


async def test_changing_nothing_tells_the_record(directory: Directory) -> None:
    await directory.users.put(USER)

    assert await directory.users.change("alice", {}) == USER


async def test_changes_of_different_fields_at_once_are_all_kept(directory: Directory) -> None:
    await directory.users.put(USER)

    await asyncio.gather(
        directory.users.change("alice", {"alias": "A"}),
        directory.users.change("alice", {"blocked": True}),
        directory.users.change("alice", {"budget_id": "tier-1"}),
    )

    assert await directory.users.get("alice") == replace(
        USER, alias="A", blocked=True, budget_id="tier-1"
    )


async def test_a_removed_record_is_gone(directory: Directory) -> None:
    await directory.users.put(USER)

    assert await directory.users.remove("alice")

    assert await directory.users.get("alice") is None
    assert not await directory.users.remove("alice")


async def test_pages_are_in_the_order_of_ids(directory: Directory) -> None:
    names = ["b", "a", "Z", "é", "a/b:c", "10", "9", "𝄞", "\uffee"]
    for name in names:
        await directory.users.put(replace(USER, user_id=name))

    async def page(skip: int, limit: int) -> list[str]:
        return [user.user_id for user in await directory.users.page(skip=skip, limit=limit)]

    assert await page(0, 100) == sorted(names)
    assert await page(2, 3) == sorted(names)[2:5]
    assert await page(8, 3) == sorted(names)[8:]
    assert await page(9, 3) == []
    assert await page(0, 0) == []


async def test_more_records_than_one_answer_holds_are_all_listed(directory: Directory) -> None:
    large = {"text": "x" * 30_000}
    for number in range(50):
        await directory.users.put(replace(USER, user_id=f"{number:02}", metadata=large))

    found = await directory.users.page(skip=0, limit=100)

    assert [user.user_id for user in found] == [f"{number:02}" for number in range(50)]


async def test_a_linked_digest_finds_its_key(directory: Directory) -> None:
    await directory.link_digest(BARE_KEY.digest, "key-1")
    await directory.link_digest(FULL_KEY.digest, "key-2")

    assert await directory.key_id_of(BARE_KEY.digest) == "key-1"
    assert await directory.key_id_of(FULL_KEY.digest) == "key-2"


async def test_an_unlinked_digest_finds_nothing(directory: Directory) -> None:
    await directory.link_digest(BARE_KEY.digest, "key-1")

    await directory.unlink_digest(BARE_KEY.digest)
    await directory.unlink_digest(BARE_KEY.digest)

    assert await directory.key_id_of(BARE_KEY.digest) is None


async def test_a_price_has_a_history_of_its_own(directory: Directory) -> None:
    stated = PriceStatement("00000001", "openai:gpt-4o", NOW, FULL_PRICE)
    removed = PriceStatement("00000002", "openai:gpt-4o", LATER)
    history = directory.price_history("openai:gpt-4o")
    assert await history.add(stated)
    assert await history.add(removed)
    assert not await history.add(replace(removed, stated_at=NOW))

    assert await history.page(skip=0, limit=10) == [stated, removed]
    assert not await directory.price_history("openai:gpt-4").page(skip=0, limit=10)
