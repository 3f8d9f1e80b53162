"""The functions of a stack may do what they need, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.checks import Verdict
from bursar.cli.doctor.policies import GRANTED, Role, excesses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bursar.cli.doctor.checks import Context
    from bursar.cli.stack import StackConnection

NO_STACK: Final = Verdict.skipped("The gateway is not asked as a stack", "Ask with --stack NAME")
_NEEDED: Final = (
    "lambda:GetFunctionConfiguration, iam:ListRolePolicies, iam:GetRolePolicy, "
    "iam:ListAttachedRolePolicies and dynamodb:DescribeTable"
)


class Permissions:
    name = "permissions"
    proves = "Each function of the stack may do what it needs on its own table, and nothing else."
    calls = False

    def run(self, context: Context) -> Verdict:
        if context.stack is None:
            return NO_STACK
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (see `stack`)

        try:
            found = list(_excesses(context.stack))
        except (ClientError, BotoCoreError) as error:
            return Verdict.skipped(f"The roles cannot be read: {error}", f"It takes {_NEEDED}")
        return judge(found)


def judge(found: list[str]) -> Verdict:
    if found:
        return Verdict.failed(
            f"Roles grant more than is needed, in {len(found)} places",
            "Deploy the stack again, which takes it back, or take it out in IAM",
            *found,
        )
    return Verdict.passed(f"{len(GRANTED)} functions may do what they need, and nothing else")


def _excesses(stack: StackConnection) -> Iterator[str]:
    described = stack.session.client("dynamodb").describe_table(
        TableName=stack.outputs["TableName"]
    )
    reader = RoleReader(stack.session.client("lambda"), stack.session.client("iam"))
    for function in GRANTED:
        role = reader.role_of(stack.outputs[f"{function}Name"])
        yield from excesses(function, role, described["Table"]["TableArn"])


@dataclass(frozen=True, slots=True)
class RoleReader:
    """Reads roles by boto3's clients."""

    functions: Any
    iam: Any

    def role_of(self, function: str) -> Role:
        """The role that a function works as, with all that it may do."""
        configuration = self.functions.get_function_configuration(FunctionName=function)
        name = str(configuration["Role"]).rpartition("/")[2]
        return Role(name, self._statements(name), self._attached(name))

    def _statements(self, role: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in self.iam.get_paginator("list_role_policies").paginate(RoleName=role):
            for policy in page["PolicyNames"]:
                read = self.iam.get_role_policy(RoleName=role, PolicyName=policy)
                statements = read["PolicyDocument"]["Statement"]
                found += [statements] if isinstance(statements, dict) else statements
        return found

    def _attached(self, role: str) -> list[str]:
        pages = self.iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
        return [policy["PolicyName"] for page in pages for policy in page["AttachedPolicies"]]
