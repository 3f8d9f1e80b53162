"""`bursar doctor --stack`, on an AWS of moto's: what only a stack can be asked about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import httpx2
import pytest
from moto.server import ThreadedMotoServer

from bursar.cli.doctor.policies import GRANTED
from bursar.store.schema import TABLE
from tests.e2e.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "eu-central-1"
STACK = "bursar-doctor-test"
CHECKS = ("plaintext", "permissions", "schedule")
# moto makes no alarms of a template; the unit tests have them.
NO_ALARM = "There is no alarm: the nested stack Observability is missing"
LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}


def _role() -> dict[str, Any]:
    trust = {"Version": "2012-10-17", "Statement": [{**LAMBDA, "Action": "sts:AssumeRole"}]}
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}}


def _function(name: str) -> dict[str, Any]:
    properties = {
        "FunctionName": name,
        "Role": {"Fn::GetAtt": [f"{name}Role", "Arn"]},
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": "handler = None"},
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def _logs(name: str) -> dict[str, Any]:
    properties = {"LogGroupName": f"/aws/lambda/{name}", "RetentionInDays": 30}
    return {"Type": "AWS::Logs::LogGroup", "Properties": properties}


def _template() -> dict[str, Any]:
    table = {**TABLE, "DeletionProtectionEnabled": True}
    resources: dict[str, Any] = {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": table}}
    for name in GRANTED:
        resources |= {
            f"{name}Role": _role(),
            name: _function(name),
            f"{name}Logs": _logs(name),
        }
    outputs: dict[str, Any] = {f"{name}Name": {"Value": {"Ref": name}} for name in GRANTED}
    outputs["TableName"] = {"Value": {"Ref": "Table"}}
    outputs["ApiUrl"] = {"Value": "https://gateway.invalid/prod"}
    return {"Resources": resources, "Outputs": outputs}


class Cloud:
    """An AWS with one stack as it was deployed."""

    def __init__(self, url: str) -> None:
        self.url = url
        client = self.client("cloudformation")
        client.create_stack(StackName=STACK, TemplateBody=json.dumps(_template()))
        found = client.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
        self.table = next(one["OutputValue"] for one in found if one["OutputKey"] == "TableName")
        # moto passes over what the template says of it.
        self.client("dynamodb").update_continuous_backups(
            TableName=self.table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        for function, actions in GRANTED.items():
            on_it = sorted(action for action in actions if action.startswith("dynamodb:"))
            self.grant(self.role_of(function), "own", on_it, self._table_arn())

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="AKID",
            aws_secret_access_key="secret",
        )

    def grant(self, role: str, policy: str, actions: Any, resource: str) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        self.client("iam").put_role_policy(
            RoleName=role, PolicyName=policy, PolicyDocument=document
        )

    def _table_arn(self) -> str:
        described = self.client("dynamodb").describe_table(TableName=self.table)
        return str(described["Table"]["TableArn"])

    def role_of(self, function: str) -> str:
        arn = self.client("lambda").get_function_configuration(FunctionName=function)["Role"]
        return str(arn).rpartition("/")[2]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # What moto knows outlives its servers, as long as the process does.
    httpx2.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
    yield Cloud(f"http://{host}:{port}")
    server.stop()


@pytest.fixture
def doctor(cloud: Cloud, tmp_path: Path) -> Command:
    environ = {
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": cloud.url,
        "BURSAR_STACK": STACK,
        "BURSAR_MASTER_KEY": "",
    }
    return Command(tmp_path / "home", None, environ)


def _verdicts(doctor: Command, exit_code: int, *checks: str) -> dict[str, dict[str, Any]]:
    words = [word for check in checks for word in ("--only", check)]
    ended = doctor.run("doctor", "-o", "jsonl", *words)
    assert ended.exit_code == exit_code, ended.data + ended.said
    return {one["name"]: one for one in ended.lines}


def test_a_stack_as_it_was_deployed_passes(doctor: Command) -> None:
    verdicts = _verdicts(doctor, 0, *CHECKS)
    assert [one["outcome"] for one in verdicts.values()] == ["passed"] * len(CHECKS)
    assert _verdicts(doctor, 6, "protection")["protection"]["details"] == [NO_ALARM]


def test_what_somebody_added_to_a_role_is_found(doctor: Command, cloud: Cloud) -> None:
    role = cloud.role_of("ProxyFunction")
    cloud.grant(role, "for-a-test", "dynamodb:*", "*")
    try:
        verdict = _verdicts(doctor, 6, "permissions")["permissions"]
    finally:
        cloud.client("iam").delete_role_policy(RoleName=role, PolicyName="for-a-test")
    assert verdict["details"] == [f"{role} may do dynamodb:*"]


def test_what_somebody_switched_off_is_found(doctor: Command, cloud: Cloud) -> None:
    dynamodb, logs = cloud.client("dynamodb"), cloud.client("logs")
    dynamodb.update_table(TableName=cloud.table, DeletionProtectionEnabled=False)
    logs.delete_retention_policy(logGroupName="/aws/lambda/AdminFunction")
    try:
        verdict = _verdicts(doctor, 6, "protection")["protection"]
    finally:
        dynamodb.update_table(TableName=cloud.table, DeletionProtectionEnabled=True)
        logs.put_retention_policy(logGroupName="/aws/lambda/AdminFunction", retentionInDays=30)
    assert [line.partition(" (")[0] for line in verdict["details"]] == [
        "Deletion protection of the table is off",
        "The logs of AdminFunction",
        NO_ALARM,
    ]


def test_a_key_in_the_stacks_table_is_found_behind_many_pages(
    doctor: Command, cloud: Cloud
) -> None:
    dynamodb = cloud.client("dynamodb")
    rows = [{"pk": {"S": "USAGE#a"}, "sk": {"S": f"{number:04}"}} for number in range(1_200)]
    planted = {"pk": {"S": "USAGE#z"}, "sk": {"S": "last"}, "note": {"S": "gsk_" + "a1B2" * 10}}
    for begin in range(0, len(rows), 25):
        puts = [{"PutRequest": {"Item": row}} for row in rows[begin : begin + 25]]
        dynamodb.batch_write_item(RequestItems={cloud.table: puts})
    dynamodb.put_item(TableName=cloud.table, Item=planted)
    try:
        verdict = _verdicts(doctor, 6, "plaintext")["plaintext"]
    finally:
        dynamodb.delete_item(TableName=cloud.table, Key={"pk": planted["pk"], "sk": planted["sk"]})
    assert verdict["details"] == ["USAGE#z/last, note: looks like a key of Groq"]
    assert "all 1,201 items" in verdict["seen"]
