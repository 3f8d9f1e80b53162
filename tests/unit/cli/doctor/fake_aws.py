"""A stack's AWS services as dictionaries, in the shapes that boto3 answers with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

from bursar.cli.stack import StackConnection

TABLE = "bursar-prod-Table"
TABLE_ARN = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{TABLE}"
FUNCTIONS = ("ProxyFunction", "AdminFunction", "BudgetResetFunction")
ALARM = "bursar-prod-ProxyErrors"
_ATTACHED = ["AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess"]


@dataclass(frozen=True)
class Stack:
    """What a stack is made of; a healthy one, until something is replaced.

    Attributes:
        policy: the statements of every role.
        retention_days: of logs; None keeps them for ever.
        alarms: name and state, and whether they tell anybody.
        proxy_variables: the data plane's environment.
        refused: services that the caller may not ask.
    """

    policy: tuple[dict[str, Any], ...] = (
        {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE_ARN},
    )
    retention_days: int | None = 30
    is_recoverable: bool = True
    is_protected: bool = True
    alarms: tuple[tuple[str, str, bool], ...] = ((ALARM, "OK", True),)
    proxy_variables: dict[str, str] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()

    def but(self, **changes: Any) -> Stack:
        return replace(self, **changes)

    def connection(self) -> StackConnection:
        outputs = {f"{name}Name": f"bursar-prod-{name}" for name in FUNCTIONS}
        outputs |= {"TableName": TABLE, "ApiUrl": "https://fake.invalid"}
        return StackConnection("bursar-prod", "eu-central-1", outputs, self)

    def client(self, service: str) -> Any:
        return _Client(self, service)


class _Client:
    """Answers any operation of any service."""

    def __init__(self, stack: Stack, service: str) -> None:
        self._stack = stack
        self._service = service

    def __getattr__(self, operation: str) -> Any:
        if self._service in self._stack.refused:
            return self._refuse
        return getattr(_Answers(self._stack), operation)

    def get_paginator(self, operation: str) -> Any:
        return _Pages(getattr(self, operation))

    def _refuse(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, self._service)


@dataclass(frozen=True)
class _Pages:
    operation: Any

    def paginate(self, **request: Any) -> list[Any]:
        return [self.operation(**request)]


@dataclass(frozen=True)
class _Answers:
    stack: Stack

    def describe_table(self, **_: Any) -> Any:
        protected = self.stack.is_protected
        return {"Table": {"TableArn": TABLE_ARN, "DeletionProtectionEnabled": protected}}

    def describe_continuous_backups(self, **_: Any) -> Any:
        status = "ENABLED" if self.stack.is_recoverable else "DISABLED"
        inner = {"PointInTimeRecoveryStatus": status}
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": inner}}

    def get_function_configuration(self, **request: Any) -> Any:
        name = request["FunctionName"]
        return {
            "Role": f"arn:aws:iam::123456789012:role/{name}Role",
            "LoggingConfig": {"LogGroup": f"{name}-logs"},
            "Environment": {"Variables": self.stack.proxy_variables},
        }

    def list_role_policies(self, **_: Any) -> Any:
        return {"PolicyNames": ["own"]}

    def get_role_policy(self, **_: Any) -> Any:
        return {"PolicyDocument": {"Statement": list(self.stack.policy)}}

    def list_attached_role_policies(self, **_: Any) -> Any:
        return {"AttachedPolicies": [{"PolicyName": name} for name in _ATTACHED]}

    def describe_log_groups(self, **request: Any) -> Any:
        group: dict[str, Any] = {"logGroupName": request["logGroupNamePrefix"]}
        if self.stack.retention_days is not None:
            group["retentionInDays"] = self.stack.retention_days
        return {"logGroups": [group]}

    def describe_stack_resources(self, **request: Any) -> Any:
        nested = "arn:of-the-nested-stack"
        if request["StackName"] != nested:
            kind = "AWS::CloudFormation::Stack"
            return {"StackResources": [{"ResourceType": kind, "PhysicalResourceId": nested}]}
        kind = "AWS::CloudWatch::Alarm"
        return {"StackResources": [{"ResourceType": kind, "PhysicalResourceId": ALARM}]}

    def describe_alarms(self, **_: Any) -> Any:
        return {
            "MetricAlarms": [
                {"AlarmName": name, "StateValue": state, "ActionsEnabled": tells}
                for name, state, tells in self.stack.alarms
            ]
        }
