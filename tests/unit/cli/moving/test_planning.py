"""What is here already stays; the rest is created in an order that leaves nobody unlimited."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.cli.failures import CONFLICT, Failed, RefusedByGateway
from bursar.cli.moving.carrying_out import carry_out
from bursar.cli.moving.findings import Action, Findings, Kind
from bursar.cli.moving.plan import planned
from bursar.cli.options import Session
from bursar.cli.output import Output
from bursar.cli.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Gateway:
    """A management API that keeps what it is told.

    Attributes:
        here: records by their path.
        refusals: a status by path, in place of an answer.
    """

    here: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    changes: list[tuple[str, str, Any]] = field(default_factory=list)
    name: str = "http://gateway"
    url: str = "http://gateway"

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        if method == "GET":
            return self.here.get(path, [])
        if path in self.refusals:
            raise RefusedByGateway(self.refusals[path], "No", "r-1")
        self.changes.append((method, path, body))
        return body


def _session(gateway: Gateway) -> Session:
    return Session(gateway, Output(is_quiet=True), Profile(gateway.name))


def _team() -> Findings:
    """A key, its user and their budget, found in the wrong order."""
    found = Findings()
    key = {"id": "k", "key_digest": "d", "user_id": "alice", "is_active": True, "key_name": None}
    found.add(Kind.KEY, "k", key)
    user = {"user_id": "alice", "budget_id": "b", "spend": Decimal("0.5"), "alias": None}
    found.add(Kind.USER, "alice", user)
    found.add(Kind.BUDGET, "b", {"budget_id": "b", "max_budget": Decimal(10)})
    return found


def test_a_keys_user_and_budget_are_created_before_it() -> None:
    gateway = Gateway()
    session = _session(gateway)
    done = carry_out(session, planned(session, _team(), updates=False))
    assert [path for _, path, _ in gateway.changes] == ["/v1/budgets", "/v1/users", "/v1/keys"]
    assert done == {"created": 3}


def test_what_is_null_there_is_not_sent() -> None:
    gateway = Gateway()
    session = _session(gateway)
    carry_out(session, planned(session, _team(), updates=False))
    assert "alias" not in gateway.changes[1][2]


def test_a_refusal_ends_the_import_before_a_key_loses_its_limit() -> None:
    gateway = Gateway(refusals={"/v1/users": 422})
    session = _session(gateway)
    with pytest.raises(Failed, match="user alice: No") as failed:
        carry_out(session, planned(session, _team(), updates=False))
    assert [path for _, path, _ in gateway.changes] == ["/v1/budgets"]
    assert "import again" in failed.value.message


def test_what_somebody_else_created_meanwhile_is_passed_over() -> None:
    gateway = Gateway(refusals={"/v1/users": 409})
    session = _session(gateway)
    done = carry_out(session, planned(session, _team(), updates=False))
    assert done == {"created": 2, "found here already": 1}
    assert RefusedByGateway(409, "", None).exit_code == CONFLICT


HERE = {"user_id": "alice", "budget_id": "b", "spend": 7, "alias": None}


def test_spending_goes_its_own_way_after_the_import() -> None:
    session = _session(Gateway({"/v1/users": [HERE]}))
    (step,) = [s for s in planned(session, _team(), updates=True) if s.name == "alice"]
    assert (step.action, step.reason) == (Action.SKIP, "is here already")


@pytest.mark.parametrize(("updates", "action"), [(False, Action.SKIP), (True, Action.CHANGE)])
def test_a_difference_is_shown_and_changed_on_demand(*, updates: bool, action: Action) -> None:
    gateway = Gateway({"/v1/users": [{**HERE, "budget_id": "other"}]})
    session = _session(gateway)
    steps = planned(session, _team(), updates=updates)
    (step,) = [each for each in steps if each.name == "alice"]
    assert step.action is action
    assert "budget_id other here, b there" in step.reason
    if updates:
        carry_out(session, [step])
        assert gateway.changes == [("PATCH", "/v1/users/alice", {"budget_id": "b"})]


def test_a_key_of_somebody_else_here_is_never_changed() -> None:
    here = {"id": "k", "user_id": "mallory", "is_active": True, "key_name": None}
    session = _session(Gateway({"/v1/keys": [here]}))
    (step,) = [each for each in planned(session, _team(), updates=True) if each.name == "k"]
    assert step.action is Action.CANNOT
    assert step.record is None


def test_the_same_moment_and_the_same_number_are_no_difference() -> None:
    found = Findings()
    there = {"id": "k", "user_id": "a", "expires_at": "2030-01-01T00:00:00Z", "rate_limit_rpm": 5}
    found.add(Kind.KEY, "k", there)
    here = {**there, "expires_at": "2030-01-01T01:00:00+01:00", "rate_limit_rpm": Decimal("5.0")}
    (step,) = planned(_session(Gateway({"/v1/keys": [here]})), found, updates=True)
    assert step.action is Action.SKIP
