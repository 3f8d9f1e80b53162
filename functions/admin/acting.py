"""Who is asking, as a request's dependencies find out, for the audit log."""

from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

from bursar.domain.audit import NOBODY, Actor, ActorKind
from functions.admin.direct import claimed_caller, is_direct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.people import Person

_ARN_CHARS_MAX = 300


def as_administrator(request: HTTPConnection) -> None:
    """The master key was presented, or an AWS identity that stands for it."""
    if is_direct(request.scope):
        claimed = claimed_caller(request.scope)[:_ARN_CHARS_MAX]
        request.state.actor = Actor(ActorKind.AWS, name=claimed or None)
    else:
        request.state.actor = Actor(ActorKind.MASTER_KEY)


def as_person(request: HTTPConnection, person: "Person") -> None:
    """Their token was presented, or what they sign in with."""
    request.state.actor = Actor(ActorKind.PERSON, person.person_id, person.email)


def as_project(request: HTTPConnection, project_id: str) -> None:
    """A token of its vault's was presented, or what opens one."""
    request.state.actor = Actor(ActorKind.PROJECT, project_id)


def actor_of(scope: "Mapping[str, Any]") -> Actor:
    """Who a request has turned out to be of so far."""
    actor: Actor = scope.get("state", {}).get("actor", NOBODY)
    return actor
