from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import RateLimited, StoreUnavailable, Unauthenticated
from bursar.domain.people import Person
from bursar.memory import MemoryPlatform, MemoryRateLimiter
from bursar.memory.collection import MemoryCollection
from bursar.memory.platform import MemoryLinks
from bursar.services.platform.access import Access
from bursar.services.platform.attempts import Attempts
from bursar.services.platform.rules import PlatformRules
from bursar.services.platform.sign_in import SignIn
from bursar.vault import KdfParameters, PasswordKeys, derive, verifier_of
from tests.fakes.office import START

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bursar.domain.rates import RateLimit, RateWindow

EMAIL = "ada@example.com"
RIGHT = "a login value"
RULES = PlatformRules(login_failures_max=3, login_source_failures_max=5)


class Clock:
    """Time that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class ReadPlatform(MemoryPlatform):
    """A platform that notes what is read of it, and lets something happen after a person was."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        self.after_person: Callable[[], None] = lambda: None
        self.people = _People(self)
        self.links = _Links(self)

    async def secret(self, name: str) -> bytes:
        self.reads.append("secret")
        return await super().secret(name)


class _People(MemoryCollection[Person]):
    def __init__(self, platform: ReadPlatform) -> None:
        super().__init__(Person, "person_id")
        self._platform = platform

    async def get(self, record_id: str) -> Person | None:
        assert record_id, "a store does not look for an empty id"
        self._platform.reads.append("person")
        person = await super().get(record_id)
        self._platform.after_person()
        return person


class _Links(MemoryLinks):
    def __init__(self, platform: ReadPlatform) -> None:
        super().__init__()
        self._platform = platform

    async def find(self, kind: str, name: str) -> str | None:
        self._platform.reads.append("email")
        return await super().find(kind, name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def platform() -> ReadPlatform:
    """One person, who has no recovery key."""
    platform = ReadPlatform()
    kdf = str(KdfParameters.fresh())
    await platform.people.put(Person("p1", EMAIL, START, START, kdf, verifier_of(RIGHT), START))
    await platform.links.claim("email", EMAIL, "p1")
    return platform


@pytest.fixture
def sign_in(platform: ReadPlatform, clock: Clock) -> SignIn:
    return SignIn(platform, Attempts(MemoryRateLimiter(), RULES, clock), RULES, clock)


async def refused(sign_in: SignIn, email: str = EMAIL, source: str = "here") -> None:
    with pytest.raises(Unauthenticated):
        await sign_in.by_login_value(email, "wrong", source)


async def locked(sign_in: SignIn, email: str = EMAIL, source: str = "here") -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        await sign_in.by_login_value(email, RIGHT, source)
    return caught.value


@pytest.mark.parametrize("way", ["password", "login value", "recovery", "parameters"])
async def test_an_unknown_email_is_as_much_work_as_a_known_one(
    platform: ReadPlatform, sign_in: SignIn, way: str
) -> None:
    async def work(email: str) -> list[str]:
        platform.reads.clear()
        if way == "parameters":
            await sign_in.parameters(email)
            return list(platform.reads)
        attempt = {
            "password": sign_in.by_password,
            "login value": sign_in.by_login_value,
            "recovery": sign_in.by_recovery,
        }[way]
        with pytest.raises(Unauthenticated, match=r"^Invalid credentials$"):
            await attempt(email, "wrong", "here")
        return list(platform.reads)

    assert await work(EMAIL) == await work("nobody@example.com")


async def test_for_an_unknown_email_a_password_is_stretched_too(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    stretched: list[tuple[str, int, int]] = []

    def noted(password: str, kdf: KdfParameters) -> PasswordKeys:
        stretched.append((password, kdf.memory_kib, kdf.passes))
        return derive(password, kdf)

    monkeypatch.setattr("bursar.services.platform.passwords.derive", noted)
    for email in (EMAIL, "nobody@example.com"):
        with pytest.raises(Unauthenticated):
            await sign_in.by_password(email, "wrong", email)

    known, unknown = stretched
    assert known == unknown


async def test_failures_lock_an_account_until_the_window_ends(
    sign_in: SignIn, clock: Clock
) -> None:
    for _ in range(RULES.login_failures_max):
        await refused(sign_in)

    refusal = await locked(sign_in, source="elsewhere")

    clock.now += timedelta(seconds=refusal.retry_after_s)
    assert (await sign_in.by_login_value(EMAIL, RIGHT, "here")).person.email == EMAIL


async def test_a_locked_account_does_not_lock_who_asks_for_it(sign_in: SignIn) -> None:
    for _ in range(RULES.login_failures_max):
        await refused(sign_in, "nobody@example.com")
    for _ in range(10):
        await locked(sign_in, "nobody@example.com")

    await sign_in.by_login_value(EMAIL, RIGHT, "here")


async def test_an_address_is_locked_out_whomever_it_tries(sign_in: SignIn) -> None:
    for number in range(RULES.login_source_failures_max):
        await refused(sign_in, f"{number}@example.com")

    await locked(sign_in)

    await sign_in.by_login_value(EMAIL, RIGHT, "elsewhere")


async def test_an_address_that_is_locked_out_locks_no_account(sign_in: SignIn) -> None:
    for number in range(RULES.login_source_failures_max):
        await refused(sign_in, f"{number}@example.com")
    for _ in range(RULES.login_failures_max + 1):
        await locked(sign_in)

    await refused(sign_in, source="elsewhere")


async def test_success_takes_back_its_own_attempt_only(sign_in: SignIn) -> None:
    for _ in range(RULES.login_failures_max - 1):
        await refused(sign_in)
    for _ in range(5):
        await sign_in.by_login_value(EMAIL, RIGHT, "here")

    await refused(sign_in)

    await locked(sign_in)


async def test_an_attempt_that_nobody_looked_at_is_no_failure(
    platform: ReadPlatform, sign_in: SignIn
) -> None:
    def break_down() -> None:
        raise StoreUnavailable("gone")

    platform.after_person = break_down
    for _ in range(RULES.login_failures_max + 1):
        with pytest.raises(StoreUnavailable):
            await sign_in.by_login_value(EMAIL, RIGHT, "here")
    platform.after_person = lambda: None

    await sign_in.by_login_value(EMAIL, RIGHT, "here")


async def test_an_attempt_is_taken_back_in_the_window_in_which_it_was_counted(
    platform: ReadPlatform, clock: Clock
) -> None:
    """Else a sign-in that goes on past a window's end would leave a failure behind."""
    limiter = _CountingLimiter()
    sign_in = SignIn(platform, Attempts(limiter, RULES, clock), RULES, clock)

    def wait() -> None:
        clock.now += timedelta(seconds=RULES.login_lock_s)

    platform.after_person = wait
    await sign_in.by_login_value(EMAIL, RIGHT, "here")

    assert set(limiter.counted.values()) == {0}
    assert len(limiter.counted) == 2


class _CountingLimiter(MemoryRateLimiter):
    def __init__(self) -> None:
        super().__init__()
        self.counted: dict[tuple[str, datetime], int] = {}

    async def take(self, limit: RateLimit, *, tokens: int, now: datetime) -> RateWindow:
        self.counted[limit.subject, now] = self.counted.get((limit.subject, now), 0) + tokens
        return await super().take(limit, tokens=tokens, now=now)

    async def adjust(self, limit: RateLimit, *, tokens: int, now: datetime) -> None:
        self.counted[limit.subject, now] = self.counted.get((limit.subject, now), 0) + tokens
        await super().adjust(limit, tokens=tokens, now=now)


async def test_what_is_counted_names_neither_people_nor_addresses(
    platform: ReadPlatform, clock: Clock
) -> None:
    limiter = _CountingLimiter()
    sign_in = SignIn(platform, Attempts(limiter, RULES, clock), RULES, clock)

    await refused(sign_in, source="192.0.2.1")

    assert len(limiter.counted) == 2
    assert not any("ada" in subject or "192.0.2.1" in subject for subject, _ in limiter.counted)


async def test_a_change_of_password_ends_a_session_that_is_just_being_opened(
    platform: ReadPlatform, sign_in: SignIn, clock: Clock
) -> None:
    """The old password was right when it was looked at, and is not when the token goes out."""
    changed_at = START + timedelta(seconds=1)

    def change_password() -> None:
        clock.now = changed_at

    platform.after_person = change_password
    signed_in = await sign_in.by_login_value(EMAIL, RIGHT, "here")
    await platform.people.change("p1", {"sessions_valid_from": changed_at})

    with pytest.raises(Unauthenticated):
        await Access(platform, clock).person(signed_in.token)


async def test_a_token_is_not_shown_and_kept_as_a_digest_only(
    platform: ReadPlatform, sign_in: SignIn
) -> None:
    signed_in = await sign_in.by_login_value(EMAIL, RIGHT, "here")

    assert signed_in.token not in repr(signed_in)
    assert await platform.proofs.session(signed_in.token) is None
    await sign_in.end(signed_in.token)
    await sign_in.end("nobody's")
