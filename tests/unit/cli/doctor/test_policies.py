"""What a role may do beyond what the template grants is found, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from bursar.cli.doctor.policies import GRANTED, Role, excesses, listed
from tests.infrastructure.template import properties

TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/bursar"
OWN = {"Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": TABLE}
LOGS = ["AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess"]


def found(function: str, *statements: dict[str, Any], attached: Any = LOGS) -> list[str]:
    return list(excesses(function, Role("a-role", statements, attached), TABLE))


def of_template(function: str) -> list[dict[str, Any]]:
    """A function's statements, with the table's ARN filled in."""
    policies = properties(function)["Policies"]
    statements = [each for policy in policies for each in policy["Statement"]]
    written = [each["Fn::If"][1] if "Fn::If" in each else each for each in statements]
    return [{**each, "Resource": _resource(each["Resource"])} for each in written]


def _resource(written: Any) -> Any:
    if written == {"Fn::GetAtt": "Table.Arn"}:
        return TABLE
    if written == {"Fn::Sub": "${Table.Arn}/index/open-accounts"}:
        return f"{TABLE}/index/open-accounts"
    return "*" if written == "*" else "arn:aws:something:else"


@pytest.mark.parametrize("function", GRANTED)
def test_what_the_template_grants_is_needed(function: str) -> None:
    assert found(function, *of_template(function)) == []


@pytest.mark.parametrize("function", GRANTED)
def test_what_is_thought_to_be_needed_is_granted(function: str) -> None:
    granted = {action for each in of_template(function) for action in listed(each["Action"])}
    # SAM grants the queue of what failed every try.
    assert GRANTED[function] - granted <= {"sqs:SendMessage"}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ({"Action": "*", "Resource": "*"}, "may do *"),
        ({"Action": "dynamodb:*", "Resource": TABLE}, "may do dynamodb:*"),
        ({"Action": "dynamodb:Scan", "Resource": TABLE}, "does not need"),
        ({"Action": ["dynamodb:DeleteItem"], "Resource": TABLE}, "does not need"),
        ({"Action": "dynamodb:GetItem", "Resource": "*"}, "on everything"),
        ({"Action": "dynamodb:GetItem", "Resource": f"{TABLE}-other"}, "on arn:"),
        ({"Action": "kms:Decrypt", "Resource": "*"}, "on everything"),
        ({"NotAction": "iam:*", "Resource": "*"}, "all but something"),
        ({"Action": "dynamodb:GetItem", "NotResource": TABLE}, "all but something"),
    ],
)
def test_what_the_data_plane_does_not_need_is_an_excess(
    statement: dict[str, Any], told: str
) -> None:
    (line,) = found("ProxyFunction", {"Effect": "Allow", **statement})
    assert told in line


def test_only_the_control_plane_deletes() -> None:
    deleting = {"Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": TABLE}
    assert found("AdminFunction", deleting) == []
    assert found("BudgetResetFunction", deleting) != []


def test_a_policy_that_is_attached_by_hand_is_an_excess() -> None:
    (line,) = found("AdminFunction", OWN, attached=[*LOGS, "AdministratorAccess"])
    assert "AdministratorAccess" in line


def test_what_is_denied_is_no_excess() -> None:
    assert found("ProxyFunction", {"Effect": "Deny", "Action": "*", "Resource": "*"}) == []
