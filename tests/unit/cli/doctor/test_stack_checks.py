"""A stack is what its template makes, and each thing that somebody changed by hand is found."""

from __future__ import annotations

from typing import Any

import pytest

from bursar.cli.doctor.checks import Context, Outcome, Verdict
from bursar.cli.doctor.permissions import Permissions
from bursar.cli.doctor.protection import Protection
from bursar.cli.doctor.temporary import Temporary
from bursar.cli.doctor.weakening import Weakening
from bursar.cli.options import Session
from bursar.cli.output import Output
from bursar.cli.profiles import Profile
from tests.unit.cli.doctor.fake_aws import ALARM, Stack
from tests.unit.cli.fake_gateway import FakeGateway

HEALTHY = Stack()
SETTINGS = {"allow_unpriced": False, "user_field": "own", "charges_unknown": True}


def context(stack: Stack | None) -> Context:
    gateway = FakeGateway({"GET /v1/settings": SETTINGS})
    session = Session(gateway, Output(), Profile())
    connection = None if stack is None else stack.connection()
    return Context(session, connection, None, Temporary(session))


def test_a_stack_as_its_template_makes_it_passes() -> None:
    for check in (Permissions(), Protection()):
        assert check.run(context(HEALTHY)).outcome is Outcome.PASSED


def test_without_a_stack_the_checks_are_skipped_with_the_way_to_run_them() -> None:
    for check in (Permissions(), Protection()):
        verdict = check.run(context(None))
        assert verdict.outcome is Outcome.SKIPPED
        assert "--stack" in str(verdict.remedy)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"retention_days": None}, "kept for ever"),
        ({"is_recoverable": False}, "Point-in-time recovery"),
        ({"is_protected": False}, "Deletion protection"),
        ({"alarms": ()}, f"The alarm {ALARM} was deleted"),
        ({"alarms": ((ALARM, "ALARM", True),)}, "rings"),
        ({"alarms": ((ALARM, "OK", False),)}, "tells nobody"),
    ],
)
def test_what_does_not_protect_any_more_fails(change: dict[str, Any], told: str) -> None:
    verdict = Protection().run(context(HEALTHY.but(**change)))
    assert verdict.outcome is Outcome.FAILED
    assert told in "\n".join(verdict.details)


def test_a_role_that_may_do_everything_fails() -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    verdict = Permissions().run(context(HEALTHY.but(policy=(everything,))))
    assert verdict.outcome is Outcome.FAILED
    assert len(verdict.details) == 3


@pytest.mark.parametrize(
    ("check", "service"), [(Permissions(), "iam"), (Protection(), "cloudwatch")]
)
def test_what_may_not_be_read_is_skipped_with_what_it_takes(check: Any, service: str) -> None:
    verdict: Verdict = check.run(context(HEALTHY.but(refused=frozenset({service}))))
    assert verdict.outcome is Outcome.SKIPPED
    assert service in str(verdict.remedy) or "iam:" in str(verdict.remedy)


def test_what_the_data_planes_own_variables_weaken_fails() -> None:
    weak = {"BURSAR_ALLOW_UNPRICED": "true", "BURSAR_CHARGES_UNKNOWN": "off"}
    verdict = Weakening().run(context(HEALTHY.but(proxy_variables=weak)))
    assert [line.partition(":")[0] for line in verdict.details] == [
        "BURSAR_ALLOW_UNPRICED=true",
        "BURSAR_CHARGES_UNKNOWN=false",
    ]
    assert Weakening().run(context(HEALTHY)).outcome is Outcome.PASSED
