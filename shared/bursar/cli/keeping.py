"""Signing in: a credential is checked against its gateway, then kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, count
from typing import TYPE_CHECKING

from bursar.cli.failures import NOT_ALLOWED, Failed, RefusedByGateway
from bursar.cli.profiles import Profile, Profiles, read_profiles, write_profiles
from bursar.cli.secret_store import forget_secret_of, keep_secret_of, key_of

if TYPE_CHECKING:
    from bursar.cli.connection import Connection


@dataclass(frozen=True, slots=True)
class Kept:
    """A profile that was written.

    Attributes:
        place: where its secret is; None where it has none.
        replaced: where the profile led before, if elsewhere.
    """

    name: str
    place: str | None
    replaced: str | None = None


def check_administers(connection: Connection) -> str:
    """The gateway's version, once it is known that it takes the credential.

    Raises:
        Failed: it does not, or there is no gateway.
    """
    version = connection.ask("GET", "/health/readiness")["version"]
    try:
        connection.ask("GET", "/v1/keys", query={"limit": 1})
    except RefusedByGateway as error:
        if error.exit_code != NOT_ALLOWED:
            raise
        raise Failed(
            f"{connection.name} does not take this master key ({error.detail}): `make run` prints "
            "that of a local gateway, `make deploy` keeps a stack's in .bursar/<stack>.json",
            NOT_ALLOWED,
        ) from None
    return str(version)


def profile_name_of(profile: Profile, wanted: str | None, usual: str) -> str:
    """The name asked for, or of a profile that leads there already, or the usual one, numbered."""
    if wanted is not None:
        return wanted
    known = read_profiles().by_name
    there = [name for name, row in known.items() if _leads_alike(row, profile)]
    names = chain([usual], (f"{usual}-{number}" for number in count(2)))
    return there[0] if there else next(name for name in names if name not in known)


def keep(name: str, profile: Profile, master_key: str | None) -> Kept:
    """Write a profile, which becomes the default, and its secret."""
    profiles = read_profiles()
    before = profiles.by_name.get(name)
    same = before is not None and _leads_alike(before, profile)
    if before is not None and same:
        profile = replace(
            profile, user=profile.user or before.user, model=profile.model or before.model
        )
    if before is not None and not same:
        # A name that leads elsewhere now takes no secret along.
        for secret in (name, key_of(name)):
            forget_secret_of(secret)
    place = None if master_key is None else keep_secret_of(name, master_key)
    write_profiles(profiles.having(name, profile))
    return Kept(name, place, None if before is None or same else led_to(before))


def led_to(profile: Profile) -> str:
    """Where a profile leads, for people."""
    if profile.stack is not None:
        return f"stack {profile.stack}" + (f" in {profile.region}" if profile.region else "")
    return profile.url or "nowhere"


def remember(name: str | None, *, user: str, model: str | None) -> None:
    """What `bursar chat` uses where nothing else is said."""
    profiles = read_profiles()
    if name is None or name not in profiles.by_name:
        return
    row = replace(profiles.by_name[name], user=user, model=model)
    by_name = {**profiles.by_name, name: row}
    write_profiles(Profiles(by_name, profiles.default))


def _leads_alike(one: Profile, other: Profile) -> bool:
    return (one.url, one.stack, one.region) == (other.url, other.stack, other.region)
