"""What can be seen of a deployment, and who is told."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.infrastructure import sam
from tests.infrastructure.template import (
    FUNCTIONS,
    OBSERVABILITY,
    observability,
    properties,
    template,
)

ALARMS = {
    name: it["Properties"]
    for name, it in observability()["Resources"].items()
    if it["Type"] == "AWS::CloudWatch::Alarm"
}


def of(alarm: str) -> dict[str, Any]:
    return {it["Name"]: it["Value"] for it in ALARMS[alarm]["Dimensions"]}


def test_the_nested_stack_gets_every_parameter_it_asks_for() -> None:
    stack = properties("Observability")
    assert stack["TemplateURL"] == str(OBSERVABILITY.relative_to(OBSERVABILITY.parents[1]))
    assert set(stack["Parameters"]) == set(observability()["Parameters"])
    assert all(it["Description"].endswith(".") for it in observability()["Parameters"].values())


def test_a_release_does_not_wait_for_itself() -> None:
    """Aliases wait for the alarms, so what the alarms are given must not wait for an alias."""
    given = repr(properties("Observability")["Parameters"])
    assert "Alias" not in given
    assert "'Api'" not in given


@pytest.mark.parametrize(
    ("alarm", "metric"),
    [
        ("ProxyErrors", "AWS/Lambda Errors"),
        ("AdminErrors", "AWS/Lambda Errors"),
        ("BudgetResetErrors", "AWS/Lambda Errors"),
        ("BudgetResetMissing", "AWS/Lambda Invocations"),
        ("ProxyDuration", "AWS/Lambda Duration"),
        ("AdminDuration", "AWS/Lambda Duration"),
        ("ProxyThrottles", "AWS/Lambda Throttles"),
        ("TableWriteThrottles", "AWS/DynamoDB WriteThrottleEvents"),
        ("TableReadThrottles", "AWS/DynamoDB ReadThrottleEvents"),
        ("ResetsMissed", "AWS/SQS ApproximateNumberOfMessagesVisible"),
        ("BudgetRefusals", "Bursar BudgetRefusals"),
    ],
)
def test_every_alarm_says_what_to_do_and_tells_the_topic(alarm: str, metric: str) -> None:
    it = ALARMS[alarm]
    assert f"{it['Namespace']} {it['MetricName']}" == metric
    assert it["AlarmDescription"].endswith(".")
    told = {"Fn::If": ["HasTopic", [{"Ref": "Topic"}], {"Ref": "AWS::NoValue"}]}
    assert (it["AlarmActions"], it["OKActions"]) == (told, told)
    silence = "breaching" if alarm == "BudgetResetMissing" else "notBreaching"
    assert it["TreatMissingData"] == silence


def test_there_is_no_alarm_that_is_not_listed_here() -> None:
    assert len(ALARMS) == 11


@pytest.mark.parametrize("function", FUNCTIONS)
def test_errors_are_counted_on_the_alias(function: str) -> None:
    dimensions = of(function.replace("Function", "Errors"))
    assert dimensions == {
        "FunctionName": {"Ref": function},
        "Resource": {"Fn::Sub": f"${{{function}}}:live"},
    }


def test_the_slowest_hundredth_is_watched() -> None:
    assert ALARMS["ProxyDuration"]["ExtendedStatistic"] == "p99"
    assert ALARMS["AdminDuration"]["ExtendedStatistic"] == "p99"
    assert ALARMS["ProxyDuration"]["Threshold"] == {"Ref": "ProxyDurationAlarmMs"}


def test_refusals_are_counted_under_the_stacks_own_name() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == ALARMS["BudgetRefusals"]["Namespace"]
    assert of("BudgetRefusals") == {"service": {"Ref": "Service"}}
    assert properties("Observability")["Parameters"]["Service"] == {"Ref": "AWS::StackName"}


def test_the_topic_is_encrypted_with_a_key_that_cloudwatch_may_use() -> None:
    resources = observability()["Resources"]
    assert resources["Topic"]["Properties"]["KmsMasterKeyId"] == {"Ref": "TopicKey"}
    key = resources["TopicKey"]["Properties"]
    assert key["EnableKeyRotation"] is True
    alarms = next(it for it in key["KeyPolicy"]["Statement"] if it["Sid"] == "AlarmsPublish")
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert "aws:SourceAccount" in alarms["Condition"]["StringEquals"]


def test_nobody_is_written_to_unless_an_address_is_given() -> None:
    assert observability()["Resources"]["Mail"]["Condition"] == "HasEmail"
    assert template()["Parameters"]["AlarmEmail"]["Default"] == ""


def test_the_dashboard_is_json_and_shows_metrics_of_this_stack_only() -> None:
    body = observability()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    filled = json.loads(re.sub(r"\$\{[A-Za-z:]+\}", "filled", body))
    assert len(filled["widgets"]) >= 8
    for widget in filled["widgets"]:
        assert widget["properties"]["title"]
        assert "filled" in repr(widget["properties"]["metrics"])
    shown = {"CostUsd", "FirstToken", "BudgetRefusals", "UpstreamErrors", "WriteThrottleEvents"}
    assert all(f'"{metric}"' in body for metric in shown)


def test_the_api_logs_lines_of_json_without_headers_and_queries() -> None:
    setting = properties("Api")["AccessLogSetting"]
    assert setting["DestinationArn"] == {"Fn::GetAtt": "ApiLogGroup.Arn"}
    assert properties("ApiLogGroup")["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    line = json.loads(setting["Format"])
    assert {"request_id", "status", "route", "latency_ms"} <= set(line)
    assert not re.search(
        r"header|querystring|context.path|authorizer", setting["Format"], re.IGNORECASE
    )


def test_the_accounts_role_for_api_logs_is_there_first_and_outlives_the_stack() -> None:
    resources = template()["Resources"]
    assert resources["Api"]["DependsOn"] == "ApiAccount"
    for name in ("ApiAccount", "ApiLogsAccountRole"):
        assert resources[name]["Condition"] == "MakesApiLogsRole"
        assert resources[name]["DeletionPolicy"] == "Retain"


def test_tracing_is_a_parameter_of_functions_and_api() -> None:
    resources = sam.transformed_resources()
    for function in FUNCTIONS:
        tracing = resources[function]["Properties"]["TracingConfig"]
        assert tracing == {"Mode": {"Ref": "Tracing"}}
    assert properties("Api")["TracingEnabled"] == {"Fn::If": ["IsTraced", True, False]}


def test_lambda_drops_no_line_and_the_functions_filter_their_own() -> None:
    defaults = template()["Globals"]["Function"]
    assert defaults["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
    assert defaults["Environment"]["Variables"]["BURSAR_LOG_LEVEL"] == {"Ref": "LogLevel"}
