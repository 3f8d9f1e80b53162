from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.errors import Conflict, InvalidRequest, NotFound, StoreUnavailable
from bursar.memory import MemoryPlatform
from bursar.services.platform.emails import checked_email, normal_email
from bursar.services.platform.members import Members
from bursar.services.platform.passwords import check_parameters, login_value_of
from bursar.services.platform.people import DerivedSecrets, People, RecoverySecrets
from bursar.vault import KdfParameters, PrivateKey, derive, verify
from tests.fakes.breaking_platform import BreakingPlatform, Fuse
from tests.fakes.office import START

if TYPE_CHECKING:
    from bursar.domain.people import Person
    from bursar.ports import Platform

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery staple"
SECRETS = DerivedSecrets(str(KdfParameters.fresh()), "a login value", "a wrapped key")
RECOVERY = RecoverySecrets("a recovery login value", "a key wrapped by it")
KEY = str(PrivateKey.generate().public)


def people_of(platform: Platform) -> People:
    return People(platform, Members(platform, lambda: START), lambda: START)


async def create(platform: Platform, email: str = EMAIL) -> Person:
    return await people_of(platform).create_with_key(email, SECRETS, KEY, RECOVERY)


@given(st.text())
def test_an_address_is_compared_in_one_form(text: str) -> None:
    normal = normal_email(text)

    assert normal_email(normal) == normal
    assert normal_email(f"  {text}\n") == normal
    assert normal_email(unicodedata.normalize("NFD", text)) == normal
    assert normal_email(unicodedata.normalize("NFC", text)) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@",
        "ada@",
        "@example.com",
        "ada@example@com",
        "ada lovelace@example.com",
        "ada\n@example.com",
        "ada\x00@example.com",
        "a" * 65 + "@example.com",
        "ada@" + "e" * 191,
    ],
)
def test_what_is_no_address_makes_no_account(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_email(text)

    assert refused.value.param == "email"


@pytest.mark.parametrize("text", [" Ada.Lovelace+x@Example.COM", "ä@example.com", "o'x@localhost"])
def test_of_an_addresses_form_little_is_asked(text: str) -> None:
    assert checked_email(text) == text.strip().casefold()


@pytest.mark.parametrize(
    ("memory_kib", "passes", "is_usable"),
    [
        (65_536, 3, True),
        (65_536, 12, True),
        (65_536, 13, False),
        (131_072, 6, True),
        (262_144, 3, True),
        (262_144, 4, False),
        (65_535, 3, False),
        (65_536, 2, False),
    ],
)
def test_parameters_are_strong_and_affordable(
    memory_kib: int, passes: int, *, is_usable: bool
) -> None:
    text = f"argon2id$m={memory_kib},t={passes},p=1$AAAAAAAAAAAAAAAAAAAAAA=="
    if is_usable:
        check_parameters(text)
        return
    with pytest.raises(InvalidRequest) as refused:
        check_parameters(text)

    assert refused.value.param == "kdf"


async def test_what_is_derived_here_is_what_a_client_derives() -> None:
    kdf = KdfParameters.fresh()

    assert await login_value_of(PASSWORD, str(kdf)) == derive(PASSWORD, kdf).login_value
    with pytest.raises(InvalidRequest):
        await login_value_of("\ud800", str(kdf))


async def test_of_a_password_only_a_verifier_is_kept() -> None:
    platform = MemoryPlatform()

    person = await people_of(platform).create_with_password(EMAIL, PASSWORD)

    login_value = derive(PASSWORD, KdfParameters.parse(person.kdf)).login_value
    assert verify(login_value, person.login_verifier)
    kept = repr(await platform.people.get(person.person_id))
    assert PASSWORD not in kept
    assert login_value not in kept


def test_secrets_are_not_shown() -> None:
    shown = repr(SECRETS) + repr(RECOVERY)

    assert "login value" not in shown
    assert "wrapped" not in shown.replace("wrapped_account_key", "")


async def test_a_refused_account_leaves_nothing() -> None:
    platform = MemoryPlatform()
    people = people_of(platform)
    weak = DerivedSecrets("argon2id$m=8,t=1,p=1$AAAA", "a login value", "a wrapped key")

    with pytest.raises(InvalidRequest):
        await people.create_with_key(EMAIL, weak, KEY, RECOVERY)
    with pytest.raises(InvalidRequest):
        await people.create_with_key(EMAIL, SECRETS, "no key", RECOVERY)
    with pytest.raises(InvalidRequest):
        await people.create_with_password("nobody", PASSWORD)

    assert await people.all() == []
    assert await platform.links.find("email", EMAIL) is None


@pytest.mark.parametrize("writes", range(3))
async def test_a_deletion_that_is_cut_short_can_be_repeated_or_the_email_used_again(
    writes: int,
) -> None:
    platform = MemoryPlatform()
    person = await create(platform)

    breaking = people_of(BreakingPlatform(platform, Fuse(writes)))
    if writes < 2:
        with pytest.raises(StoreUnavailable):
            await breaking.remove(person)
    else:
        await breaking.remove(person)

    if await platform.people.get(person.person_id) is not None:
        with pytest.raises(Conflict):
            await create(platform)
        await people_of(platform).remove(person)
    again = await create(platform)
    assert await platform.links.find("email", EMAIL) == again.person_id
    assert await people_of(platform).all() == [again]


@pytest.mark.parametrize("writes", range(2))
async def test_an_account_that_is_made_half_does_not_hold_its_email(writes: int) -> None:
    platform = MemoryPlatform()

    with pytest.raises(StoreUnavailable):
        await create(BreakingPlatform(platform, Fuse(writes)))
    person = await create(platform)

    assert await platform.links.find("email", EMAIL) == person.person_id


async def test_what_is_not_there_any_more_is_not_changed() -> None:
    platform = MemoryPlatform()
    person = await create(platform)
    await people_of(platform).remove(person)

    with pytest.raises(NotFound):
        await people_of(platform).change_secrets(person, SECRETS.login_value, SECRETS)
