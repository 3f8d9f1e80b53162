"""The guide's fourth step: a user with a budget, and a key."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bursar.cli.connection import HttpConnection
from bursar.cli.failures import NOT_FOUND, Failed, RefusedByGateway
from bursar.cli.fields import path_to
from bursar.cli.output import as_usd
from bursar.cli.secret_store import keep_secret_of, key_of, read_secret_of

if TYPE_CHECKING:
    from bursar.cli.guide_places import Found
    from bursar.cli.output import Output

_USERS = "/v1/users"
_KEYS = "/v1/keys"


@dataclass(frozen=True, slots=True)
class Access:
    """A virtual key that works.

    Attributes:
        key_id: None where a kept key is used, which only the gateway could name.
        is_new: it was made just now.
    """

    user_id: str
    key: str = field(repr=False)
    key_id: str | None = None
    is_new: bool = False


def ensure_access(output: Output, found: Found, user: str, budget: str, period: str) -> Access:
    """A user, who gets a budget if they are new, and a key, if none that is kept works."""
    known = _user(found, user)
    if known is None:
        known = _made_user(output, found, user, budget, period)
    else:
        output.say(f"User       {user} is there, {_limit(found, known)}")
    kept = read_secret_of(key_of(found.profile_name))
    if kept is not None and user == found.profile.user and _works(found, kept):
        output.say("Key        the one that is kept here works")
        return Access(user, kept)
    return _made_key(output, found, user)


def _user(found: Found, user: str) -> dict[str, Any] | None:
    try:
        known: dict[str, Any] = found.connection.ask("GET", path_to(_USERS, user))
    except RefusedByGateway as error:
        if error.exit_code != NOT_FOUND:
            raise
        return None
    return known


def _limit(found: Found, user: dict[str, Any]) -> str:
    if user["budget_id"] is None:
        return f"without a budget: bursar users update {user['user_id']} --budget ID gives one"
    budget = found.connection.ask("GET", path_to("/v1/budgets", user["budget_id"]))
    limit = budget["max_budget"]
    return f"with a budget of {as_usd(limit)}" if limit is not None else "with a budget to track"


def _made_user(output: Output, found: Found, user: str, budget: str, period: str) -> dict[str, Any]:
    limit = found.connection.ask(
        "POST", "/v1/budgets", {"max_budget": budget, "budget_period": period}
    )
    body = {"user_id": user, "budget_id": limit["budget_id"]}
    made: dict[str, Any] = found.connection.ask("POST", _USERS, body)
    output.say(f"User       made {user}, who may spend {as_usd(limit['max_budget'])} a {period}")
    return made


def _works(found: Found, key: str) -> bool:
    try:
        HttpConnection(found.url, key).ask("GET", "/v1/models")
    except Failed:
        return False
    return True


def _made_key(output: Output, found: Found, user: str) -> Access:
    name = f"bursar init on {platform.node() or 'this machine'}"
    issued = found.connection.ask("POST", _KEYS, {"user_id": user, "key_name": name[:100]})
    place = keep_secret_of(key_of(found.profile_name), issued["key"])
    output.say(f"Key        made {issued['id']} for {user}; kept in {place} for bursar chat")
    return Access(user, issued["key"], issued["id"], is_new=True)
