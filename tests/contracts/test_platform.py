from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.budgets import AccountKey, project_subject
from bursar.domain.ids import request_id
from bursar.domain.leases import Lease, account_text
from bursar.domain.people import Membership, Person, Role
from bursar.domain.projects import (
    Client,
    Project,
    ProjectBudget,
    ProviderKey,
    SpendPeriod,
    VaultShare,
    budget_slot,
)
from bursar.domain.proofs import Challenge, Session
from bursar.domain.usage import Status, TokenUsage, UsageFilter, UsageRecord
from bursar.ports import Entered

if TYPE_CHECKING:
    from bursar.ports import Platform
    from tests.contracts.stores import Ports

NOW = datetime(2026, 11, 22, 18, 30, 1, 123456, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
DAY = SpendPeriod.DAILY.period_at(NOW)
ACCOUNT = AccountKey(project_subject("p1"), DAY)
LEASE = Lease(
    request_id(NOW), "p1", None, (account_text(ACCOUNT),), Decimal("0.5"), NOW, LATER, LATER
)


@pytest.fixture
def platform(ports: Ports) -> Platform:
    return ports.platform


def _record(at: datetime = NOW) -> UsageRecord:
    return UsageRecord(
        request_id(at),
        "project/p1",
        at,
        "/api/v1/usage-events/",
        Status.SUCCESS,
        usage=TokenUsage(11, 7),
        cost_usd=Decimal("0.25"),
        project_id="p1",
        client_id="c1",
        tokens_per_second=Decimal("54.67"),
    )


async def test_people_and_what_belongs_to_a_project_read_back_as_stored(
    platform: Platform,
) -> None:
    person = Person("a", "a@example.com", NOW, LATER, "argon2id$…", "0a" * 32, NOW, "pub", "wrap")
    project = Project("p1", "web", NOW, LATER, "d", "pk", "old", LATER, "c1")
    key = ProviderKey("k1", "p1", "openai", "sealed", NOW, "pk", 3, LATER, LATER, NOW, "o", "x", 2)
    client = Client("c1", "p1", "web", NOW, NOW)
    slot = budget_slot("c1", SpendPeriod.WEEKLY)
    budget = ProjectBudget(slot, "b1", "p1", SpendPeriod.WEEKLY, Decimal("1.5"), NOW, LATER, "c1")
    share = VaultShare("person/a", "p1", "pub", "sealed", "mac", NOW, LATER, "old", LATER)
    member = Membership("p1", "a", Role.READ_ONLY, NOW)

    await platform.people.put(person)
    await platform.projects.put(project)
    await platform.provider_keys("p1").put(key)
    await platform.clients("p1").put(client)
    await platform.budgets("p1").put(budget)
    await platform.shares("p1").put(share)
    await platform.members("p1").put(member)
    await platform.memberships("a").put(member)

    assert await platform.people.get("a") == person
    assert await platform.projects.get("p1") == project
    assert await platform.provider_keys("p1").get("k1") == key
    assert await platform.clients("p1").get("c1") == client
    assert await platform.budgets("p1").get(slot) == budget
    assert await platform.shares("p1").get("person/a") == share
    assert await platform.members("p1").page(skip=0, limit=9) == [member]
    assert await platform.memberships("a").page(skip=0, limit=9) == [member]


async def test_what_belongs_to_one_project_is_not_in_another(platform: Platform) -> None:
    await platform.provider_keys("p1").put(ProviderKey("k1", "p1", "openai", "s", NOW))
    await platform.clients("p1").put(Client("c1", "p1", "web", NOW, NOW))

    assert await platform.provider_keys("p2").get("k1") is None
    assert await platform.clients("p2").page(skip=0, limit=9) == []


async def test_of_many_who_claim_a_name_one_has_it_and_all_are_told_who(
    platform: Platform,
) -> None:
    claims = [platform.links.claim("email", "a@example.com", f"t{n}") for n in range(8)]

    owners = set(await asyncio.gather(*claims))

    assert len(owners) == 1
    assert await platform.links.find("email", "a@example.com") == owners.pop()
    assert await platform.links.find("vault", "a@example.com") is None


async def test_only_its_owner_frees_a_name(platform: Platform) -> None:
    await platform.links.claim("vault", "pk", "p1")

    await platform.links.release("vault", "pk", "p2")
    assert await platform.links.find("vault", "pk") == "p1"
    await platform.links.release("vault", "pk", "p1")
    assert await platform.links.find("vault", "pk") is None
    assert await platform.links.claim("vault", "pk", "p2") == "p2"


async def test_of_many_who_take_a_challenge_one_gets_it(platform: Platform) -> None:
    challenge = Challenge("0a" * 32, "p1", "pk", LATER)
    await platform.proofs.issue(challenge)

    taken = await asyncio.gather(*[platform.proofs.take(challenge.digest) for _ in range(8)])

    assert [one for one in taken if one is not None] == [challenge]
    assert await platform.proofs.take("0b" * 32) is None


async def test_a_session_is_there_until_it_ends(platform: Platform) -> None:
    session = Session("0a" * 32, NOW, LATER, project_id="p1", public_key="pk")
    await platform.proofs.open(session)

    assert await platform.proofs.session(session.digest) == session
    await platform.proofs.end(session.digest)
    assert await platform.proofs.session(session.digest) is None


async def test_of_two_next_revisions_of_a_lease_one_is_kept(platform: Platform) -> None:
    await platform.leases.add(LEASE)
    drawn, _ = LEASE.drawn(Decimal("0.1"))
    closed = LEASE.closed(LATER, charges_unreported=True)

    both = await asyncio.gather(platform.leases.advance(drawn), platform.leases.advance(closed))

    assert sorted(both) == [False, True]
    assert await platform.leases.get(LEASE.lease_id) in (drawn, closed)


async def test_a_lease_that_is_not_there_cannot_advance(platform: Platform) -> None:
    drawn, _ = LEASE.drawn(Decimal("0.1"))

    assert not await platform.leases.advance(drawn)
    assert await platform.leases.get(LEASE.lease_id) is None


async def test_a_secret_is_made_once(platform: Platform) -> None:
    secrets = await asyncio.gather(*[platform.secret("signing") for _ in range(4)])

    assert len(set(secrets)) == 1
    assert len(secrets[0]) == 32
    assert await platform.secret("other") != secrets[0]


async def test_an_event_is_entered_once_however_often_it_is_reported(ports: Ports) -> None:
    records = [_record(NOW + timedelta(seconds=n)) for n in range(6)]

    entered = await asyncio.gather(
        *[ports.usage_log.enter("event-1", record, None) for record in records]
    )

    assert entered.count(Entered.NEW) == 1
    assert entered.count(Entered.DUPLICATE) == 5
    page = await ports.usage_log.page(UsageFilter(user_id="project/p1"), limit=9)
    assert page.records == (records[entered.index(Entered.NEW)],)


async def test_the_same_event_id_of_two_projects_is_two_events(ports: Ports) -> None:
    other = replace(_record(), user_id="project/p2")

    assert await ports.usage_log.enter("event-1", _record(), None) is Entered.NEW
    assert await ports.usage_log.enter("event-1", other, None) is Entered.NEW


async def test_an_event_and_its_lease_change_together_or_not_at_all(ports: Ports) -> None:
    await ports.platform.leases.add(LEASE)
    drawn, _ = LEASE.drawn(Decimal("0.25"))

    assert await ports.usage_log.enter("event-1", _record(), drawn) is Entered.NEW
    assert await ports.platform.leases.get(LEASE.lease_id) == drawn
    assert await ports.usage_log.enter("event-2", _record(LATER), drawn) is Entered.LEASE_MOVED_ON
    assert await ports.usage_log.enter("event-1", _record(LATER), drawn) is Entered.DUPLICATE
    page = await ports.usage_log.page(UsageFilter(user_id="project/p1"), limit=9)
    assert len(page.records) == 1


async def test_events_under_one_lease_add_up_whatever_the_concurrency(ports: Ports) -> None:
    await ports.platform.leases.add(LEASE)

    async def report(number: int) -> None:
        record = _record(NOW + timedelta(seconds=number))
        while True:
            lease = await ports.platform.leases.get(LEASE.lease_id)
            assert lease is not None
            drawn, _ = lease.drawn(Decimal("0.01"))
            entered = await ports.usage_log.enter(f"event-{number}", record, drawn)
            if entered is Entered.NEW:
                return

    await asyncio.gather(*[report(number) for number in range(10)])

    kept = await ports.platform.leases.get(LEASE.lease_id)
    assert kept is not None
    assert kept.used_usd == Decimal("0.1")
    assert kept.revision == 10
