"""The template deploys what the code needs and grants each function no more than that."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from bursar.secrets.parameters import checked_path
from bursar.settings import load_settings
from bursar.store.schema import TABLE, TTL_ATTRIBUTE
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.targets import role_providers
from functions.proxy.inbound import COUNT_TOKENS_PATH, INBOUND
from tests.engines import ROOT
from tests.infrastructure import sam
from tests.infrastructure.template import (
    FUNCTIONS,
    OBSERVABILITY,
    TEMPLATE,
    properties,
    template,
    variables_of,
)

MAKEFILE = {"BuildMethod": "makefile"}
READ_AND_WRITE = {"GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem"}
# IAM knows no such action: each item of a transaction needs its own, here PutItem.
GRANTED_BY_PARTS = {"TransactWriteItems"}
OF_LOCAL_ENGINES = {"CreateTable", "UpdateTimeToLive"}
"""Operations that make the table, which the template does in a deployment."""


def statements(function: str) -> list[dict[str, Any]]:
    given = [it for policy in properties(function)["Policies"] for it in policy["Statement"]]
    return [it["Fn::If"][1] if "Fn::If" in it else it for it in given]


def on_the_table(function: str) -> list[dict[str, Any]]:
    return [it for it in statements(function) if "dynamodb:" in repr(it["Action"])]


def granted(function: str) -> set[str]:
    actions: set[str] = set()
    for statement in on_the_table(function):
        named = statement["Action"]
        actions |= {named} if isinstance(named, str) else set(named)
    return actions


def operations_of(folder: str) -> set[str]:
    source = "".join(path.read_text() for path in (ROOT / folder).rglob("*.py"))
    return set(re.findall(r'call\(\s*"([A-Z][A-Za-z]+)"', source))


def test_sam_and_its_linter_find_no_fault() -> None:
    result = sam.run("sam", "validate")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "is a valid SAM Template" in result.stdout


def test_every_environment_lints_and_builds_in_place_and_asks_for_no_more_than_it_needs() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for environment in ("default", "dev", "prod"):
        assert config[environment]["validate"]["parameters"]["lint"] is True
        assert config[environment]["build"]["parameters"]["build_in_source"] is True
    for environment in ("dev", "prod"):
        deploy = config[environment]["deploy"]["parameters"]
        assert deploy["capabilities"] == "CAPABILITY_IAM"
        assert f"Environment={environment}" in deploy["parameter_overrides"]
        given = {it.partition("=")[0] for it in deploy["parameter_overrides"]}
        assert given < set(template()["Parameters"])


def test_cfn_lint_finds_no_fault_not_even_a_small_one() -> None:
    result = sam.run("cfn-lint", "--include-checks", "I", "--", TEMPLATE, OBSERVABILITY)
    assert (result.returncode, result.stdout) == (0, "")


def test_the_table_is_the_stores() -> None:
    table = properties("Table")
    for argument in ("AttributeDefinitions", "KeySchema", "BillingMode"):
        assert table[argument] == TABLE[argument]
    deployed = [
        {name: value for name, value in index.items() if name != "OnDemandThroughput"}
        for index in table["GlobalSecondaryIndexes"]
    ]
    assert deployed == TABLE["GlobalSecondaryIndexes"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": TTL_ATTRIBUTE, "Enabled": True}


def test_the_table_outlives_the_stack_and_what_it_costs_is_capped() -> None:
    resource, table = template()["Resources"]["Table"], properties("Table")
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["DeletionProtectionEnabled"] == {"Ref": "TableDeletionProtection"}
    assert table["SSESpecification"]["SSEEnabled"] is True
    caps = {"MaxReadRequestUnits", "MaxWriteRequestUnits"}
    assert set(table["OnDemandThroughput"]) == caps
    assert all(set(it["OnDemandThroughput"]) == caps for it in table["GlobalSecondaryIndexes"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_touches_nothing_of_dynamodb_but_the_table(function: str) -> None:
    assert on_the_table(function)
    for statement in on_the_table(function):
        assert statement["Effect"] == "Allow"
        assert statement["Resource"] in (
            {"Fn::GetAtt": "Table.Arn"},
            {"Fn::Sub": "${Table.Arn}/index/open-accounts"},
        )
    assert not any("*" in action for action in granted(function))


@pytest.mark.parametrize("function", ["AdminFunction", "BudgetResetFunction"])
def test_only_the_data_plane_may_touch_anything_else(function: str) -> None:
    assert on_the_table(function) == statements(function)


def test_the_data_plane_reads_its_provider_keys_and_no_other_parameter() -> None:
    read, opened = [it for it in statements("ProxyFunction") if it["Sid"].endswith("ProviderKeys")]
    assert read["Action"] == "ssm:GetParametersByPath"
    given = variables_of("ProxyFunction")["BURSAR_PROVIDER_KEYS_PATH"]
    assert checked_path(given) == given == "/bursar/bursar-test/providers"
    arn = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${Path}"
    path = properties("ProxyFunction")["Environment"]["Variables"]["BURSAR_PROVIDER_KEYS_PATH"]
    assert [it["Fn::Sub"] for it in read["Resource"]] == [
        [arn, {"Path": path}],
        [arn + "/*", {"Path": path}],
    ]
    assert (opened["Action"], opened["Resource"]) == (
        "kms:Decrypt",
        {"Ref": "ProviderKeysKmsKeyArn"},
    )
    assert "kms:ViaService" in opened["Condition"]["StringEquals"]


def test_the_data_plane_calls_with_its_role_only_what_an_operator_listed() -> None:
    conditional = {
        it["Fn::If"][1]["Sid"]: it["Fn::If"]
        for it in properties("ProxyFunction")["Policies"][0]["Statement"]
        if "Fn::If" in it
    }
    parameters = template()["Parameters"]
    assert parameters["RoleProviders"]["Default"] == ""
    condition, granted_, otherwise = conditional["InvokeBedrock"]
    assert (condition, otherwise) == ("HasBedrock", {"Ref": "AWS::NoValue"})
    assert granted_["Action"] == ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
    assert granted_["Resource"] == {"Ref": "BedrockModelArns"}
    condition, granted_, otherwise = conditional["InvokeSageMaker"]
    assert (condition, otherwise) == ("HasSageMaker", {"Ref": "AWS::NoValue"})
    assert granted_["Action"] == "sagemaker:InvokeEndpoint"
    assert granted_["Resource"] == {"Ref": "SageMakerEndpointArns"}
    assert conditional["SignTokensForSageMaker"][0] == "HasSageMaker"
    assert conditional["SignTokensForSageMaker"][1]["Action"] == "sagemaker:CallWithBearerToken"
    # A role that may invoke nothing would be asked for nothing but errors.
    for rule, arns in (
        ("BedrockHasModels", "BedrockModelArns"),
        ("SageMakerHasEndpoints", "SageMakerEndpointArns"),
    ):
        assert parameters[arns]["Default"] == ""
        assert arns in repr(template()["Rules"][rule]["Assertions"][0]["Assert"])


def test_the_roles_that_can_be_chosen_are_those_that_the_gateway_knows() -> None:
    variables = variables_of("ProxyFunction")
    assert load_settings(variables).role_providers == ()
    for chosen in template()["Parameters"]["RoleProviders"]["AllowedValues"]:
        names = load_settings({**variables, "BURSAR_ROLE_PROVIDERS": chosen}).role_providers
        assert set(role_providers(names, load_catalogue())) == set(names)


def test_no_key_is_in_the_template_or_in_what_can_be_seen_of_a_function() -> None:
    assert not re.search(r"api_?key:", TEMPLATE.read_text(), re.IGNORECASE)
    visible = {name for function in FUNCTIONS for name in variables_of(function)}
    assert not {it for it in visible if it.endswith(("_API_KEY", "_SECRET", "_MASTER_KEY"))}


@pytest.mark.parametrize(
    ("function", "more"),
    [("ProxyFunction", set()), ("AdminFunction", {"DeleteItem"}), ("BudgetResetFunction", set())],
)
def test_a_function_may_do_exactly_what_its_work_is(function: str, more: set[str]) -> None:
    allowed = {action.removeprefix("dynamodb:") for action in granted(function)}
    assert allowed == READ_AND_WRITE | more


def test_every_operation_of_the_store_is_granted_to_the_administration() -> None:
    used = operations_of("shared/bursar/store")
    allowed = {action.removeprefix("dynamodb:") for action in granted("AdminFunction")}
    assert "UpdateItem" in used
    assert used - OF_LOCAL_ENGINES - GRANTED_BY_PARTS <= allowed


def test_functions_run_on_the_newest_runtime_whose_wheels_are_locked() -> None:
    defaults = template()["Globals"]["Function"]
    assert (defaults["Runtime"], defaults["Architectures"]) == ("python3.13", ["arm64"])
    makefile = (ROOT / "Makefile").read_text()
    assert "--python-platform aarch64-manylinux2014 --python-version 3.13" in makefile
    assert all(template()["Resources"][it]["Metadata"] == MAKEFILE for it in FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_own_log_group_that_forgets(function: str) -> None:
    group = properties(function)["LoggingConfig"]["LogGroup"]["Ref"]
    assert group == function.replace("Function", "LogGroup")
    assert properties(group)["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert template()["Globals"]["Function"]["LoggingConfig"]["LogFormat"] == "JSON"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_functions_settings_are_settings(function: str) -> None:
    settings = load_settings(variables_of(function))
    assert settings.policy.request_timeout_s > 0
    assert settings.master_key is None
    assert settings.master_key_digest == "a" * 64


def test_a_request_settles_before_its_function_is_stopped() -> None:
    proxy = properties("ProxyFunction")
    deadline_s = float(proxy["Environment"]["Variables"]["BURSAR_REQUEST_TIMEOUT_S"])
    assert deadline_s <= proxy["Timeout"] - 10


def test_what_decides_about_money_and_access_is_a_documented_parameter() -> None:
    parameters = template()["Parameters"]
    assert all(it["Description"].endswith(".") for it in parameters.values())
    digest = parameters["MasterKeyDigest"]
    assert digest["NoEcho"] is True
    assert "Default" not in digest
    assert re.fullmatch(digest["AllowedPattern"], "0" * 64)
    assert all("Description" in it for it in template()["Outputs"].values())


def routes_of(function: str, resources: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        ("ANY" if method == "x-amazon-apigateway-any-method" else method.upper(), path)
        for path, methods in resources["Api"]["Properties"]["Body"]["paths"].items()
        for method, route in methods.items()
        if function in repr(route["x-amazon-apigateway-integration"]["uri"])
    }


def test_every_dialect_has_a_route_to_the_proxy() -> None:
    routes = {path for method, path in routes_of("ProxyFunction", sam.transformed_resources())}
    patterns = [re.sub(r"\{\w+\}", "[^/]+", route) for route in routes]
    for path in (*INBOUND, COUNT_TOKENS_PATH):
        assert any(re.fullmatch(pattern, path) for pattern in patterns), path


def test_inference_goes_to_the_proxy_and_all_else_to_the_administration() -> None:
    resources = sam.transformed_resources()
    assert routes_of("ProxyFunction", resources) == {
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/embeddings"),
        ("POST", "/v1/responses"),
        ("POST", "/v1/messages"),
        ("POST", "/v1/messages/count_tokens"),
        ("POST", "/v1/images/{operation}"),
        ("POST", "/v1/audio/{operation}"),
        ("POST", "/v1/moderations"),
        ("POST", "/v1/rerank"),
        ("POST", "/v2/rerank"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/{model_id+}"),
        ("GET", "/health"),
    }
    assert routes_of("AdminFunction", resources) == {
        ("ANY", "/"),
        ("ANY", "/{proxy+}"),
        ("GET", "/health/{proxy+}"),
    }
    assert resources["Api"]["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


def test_a_reset_that_fails_every_try_is_kept() -> None:
    resources = sam.transformed_resources()
    queue = {"Fn::GetAtt": ["MissedResets", "Arn"]}
    target = resources["BudgetResetFunctionEveryFiveMinutes"]["Properties"]["Target"]
    assert target["DeadLetterConfig"]["Arn"] == queue
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0
    schedule = resources["BudgetResetFunctionEveryFiveMinutes"]["Properties"]
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    invocation = resources["BudgetResetFunctionEventInvokeConfig"]["Properties"]
    assert invocation["DestinationConfig"]["OnFailure"]["Destination"] == queue
    assert all(
        "sqs:SendMessage" in repr(resources[role]) and "'MissedResets'" in repr(resources[role])
        for role in ("BudgetResetFunctionRole", "BudgetResetFunctionEveryFiveMinutesRole")
    )
