"""A stack's table can be restored, its logs end, and its alarms ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.checks import Verdict
from bursar.cli.doctor.permissions import NO_STACK
from bursar.cli.doctor.policies import GRANTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bursar.cli.doctor.checks import Context
    from bursar.cli.stack import StackConnection

_NEEDED: Final = (
    "dynamodb:DescribeTable, dynamodb:DescribeContinuousBackups, lambda:GetFunctionConfiguration, "
    "logs:DescribeLogGroups, cloudformation:DescribeStackResources and cloudwatch:DescribeAlarms"
)


class Protection:
    name = "protection"
    proves = "The stack's table can be restored, its logs end, and its alarms are there and quiet."
    calls = False

    def run(self, context: Context) -> Verdict:
        if context.stack is None:
            return NO_STACK
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (see `stack`)

        stack = context.stack
        try:
            found = [*_of_table(stack), *_of_logs(stack), *_of_alarms(stack)]
        except (ClientError, BotoCoreError) as error:
            return Verdict.skipped(f"The stack cannot be read: {error}", f"It takes {_NEEDED}")
        return judge(found)


def judge(found: Sequence[str]) -> Verdict:
    if found:
        return Verdict.failed(
            "The stack is not what its template makes",
            "Deploy it again, or see what infra/OPERATING.md says of alarms and restoring",
            *found,
        )
    return Verdict.passed("the table can be restored, logs end, and no alarm rings")


def _of_table(stack: StackConnection) -> Iterator[str]:
    client, name = stack.session.client("dynamodb"), stack.outputs["TableName"]
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        yield "Point-in-time recovery of the table is off: nothing can be restored"
    table = client.describe_table(TableName=name)["Table"]
    if not table.get("DeletionProtectionEnabled"):
        yield "Deletion protection of the table is off (TableDeletionProtection)"


def _of_logs(stack: StackConnection) -> Iterator[str]:
    functions, logs = stack.session.client("lambda"), stack.session.client("logs")
    for function in GRANTED:
        name = stack.outputs[f"{function}Name"]
        configuration = functions.get_function_configuration(FunctionName=name)
        group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
        found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        if not any(one["logGroupName"] == group and one.get("retentionInDays") for one in found):
            yield f"The logs of {function} ({group}) are kept for ever, or are not there"


def _of_alarms(stack: StackConnection) -> Iterator[str]:
    names = _alarm_names(stack)
    if not names:
        yield "There is no alarm: the nested stack Observability is missing"
        return
    client = stack.session.client("cloudwatch")
    alarms = client.describe_alarms(AlarmNames=names)["MetricAlarms"]
    for missing in set(names) - {alarm["AlarmName"] for alarm in alarms}:
        yield f"The alarm {missing} was deleted"
    yield from (line for alarm in alarms for line in _of_alarm(alarm))


def _of_alarm(alarm: Mapping[str, Any]) -> Iterator[str]:
    if alarm["StateValue"] == "ALARM":
        yield f"The alarm {alarm['AlarmName']} rings: {alarm.get('StateReason', '')}".rstrip(": ")
    if not alarm.get("ActionsEnabled", True):
        yield f"The alarm {alarm['AlarmName']} tells nobody: its actions are switched off"


def _alarm_names(stack: StackConnection) -> list[str]:
    client = stack.session.client("cloudformation")
    own = client.describe_stack_resources(StackName=stack.stack)["StackResources"]
    nested = [
        one["PhysicalResourceId"]
        for one in own
        if one["ResourceType"] == "AWS::CloudFormation::Stack"
    ]
    inner = [
        resource
        for name in nested
        for resource in client.describe_stack_resources(StackName=name)["StackResources"]
    ]
    return [
        one["PhysicalResourceId"]
        for one in (*own, *inner)
        if one["ResourceType"] == "AWS::CloudWatch::Alarm"
    ]
