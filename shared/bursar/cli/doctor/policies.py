"""What a function's role grants, compared with what its work needs.

`template.yaml` grants exactly this; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPENDS: Final = frozenset(
    f"dynamodb:{action}" for action in ("GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem")
)
_PROVIDERS: Final = frozenset(
    {
        "ssm:GetParametersByPath",
        "kms:Decrypt",
        "bedrock:InvokeModel",
        "bedrock:InvokeModelWithResponseStream",
        "sagemaker:InvokeEndpoint",
        "sagemaker:CallWithBearerToken",
    }
)
# Actions that know no kind of resource.
_FOR_ALL: Final = frozenset({"sagemaker:CallWithBearerToken"})
GRANTED: Final[Mapping[str, frozenset[str]]] = {
    "ProxyFunction": _SPENDS | _PROVIDERS,
    "AdminFunction": _SPENDS | {"dynamodb:DeleteItem"},
    # What fails every try is put into the queue of missed resets.
    "BudgetResetFunction": _SPENDS | {"sqs:SendMessage"},
}
"""The actions of each function's own policies."""

ATTACHED: Final = frozenset({"AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess"})
"""AWS's policies for writing logs and traces, as SAM attaches them."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a role may do.

    Attributes:
        statements: of its own policies.
        attached: the names of policies attached to it.
    """

    name: str
    statements: Sequence[Mapping[str, Any]]
    attached: Sequence[str]


def excesses(function: str, role: Role, table_arn: str) -> Iterator[str]:
    """What a role may do beyond what its function needs, a line each.

    Args:
        function: its name in the template.
        table_arn: the gateway's table, the only one that it may touch.
    """
    for policy in role.attached:
        if policy not in ATTACHED:
            yield f"{role.name} has the policy {policy} attached"
    for statement in role.statements:
        if statement["Effect"] == "Allow":
            yield from _of_statement(function, role.name, statement, table_arn)


def _of_statement(
    function: str, role: str, statement: Mapping[str, Any], table_arn: str
) -> Iterator[str]:
    if "NotAction" in statement or "NotResource" in statement:
        yield f"{role} is granted all but something"
        return
    for action in listed(statement["Action"]):
        if "*" in action:
            yield f"{role} may do {action}"
        elif action not in GRANTED[function]:
            yield f"{role} may do {action}, which {function} does not need"
        else:
            for resource in listed(statement["Resource"]):
                yield from _of_resource(role, action, resource, table_arn)


def _of_resource(role: str, action: str, resource: str, table_arn: str) -> Iterator[str]:
    if resource == "*" and action not in _FOR_ALL:
        yield f"{role} may do {action} on everything"
    elif action.startswith("dynamodb:"):
        is_own = resource == table_arn or resource.startswith(f"{table_arn}/index/")
        if not is_own:
            yield f"{role} may do {action} on {resource}"


def listed(value: Any) -> list[str]:
    """IAM writes one where there is one."""
    return [value] if isinstance(value, str) else list(value)
