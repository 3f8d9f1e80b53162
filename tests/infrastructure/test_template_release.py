"""How a new version comes into use, and goes back."""

from __future__ import annotations

import re

import pytest

from tests.infrastructure import sam
from tests.infrastructure.template import FUNCTIONS, properties, template

ANSWERING = ["ProxyFunction", "AdminFunction"]
NOT_OF_A_FUNCTION = {"Table", "AWS::StackName"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_callers_reach_a_function_by_its_alias(function: str) -> None:
    resources = sam.transformed_resources()
    alias = resources[f"{function}Aliaslive"]["Properties"]
    assert (alias["Name"], alias["FunctionName"]) == ("live", {"Ref": function})
    bodies = repr(resources["Api"]["Properties"]["Body"]["paths"])
    schedule = resources["BudgetResetFunctionEveryFiveMinutes"]["Properties"]["Target"]["Arn"]
    if function == "BudgetResetFunction":
        assert schedule == {"Ref": "BudgetResetFunctionAliaslive"}
    else:
        assert f"${{{function}Aliaslive}}" in bodies
        assert f"${{{function}.Arn}}" not in bodies


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_change_of_a_function_publishes_a_version(function: str) -> None:
    assert properties(function)["AutoPublishAliasAllProperties"] is True
    assert template()["Globals"]["Function"]["VersionDeletionPolicy"] == "Delete"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_changed_parameter_of_a_function_publishes_a_version(function: str) -> None:
    """SAM's hash holds references, not values, so the version's description holds the values."""
    resource = sam.transformed_resources()[function]["Properties"]
    # Reserved concurrency and tags belong to the function, not to its versions.
    of_a_version = {
        name: it
        for name, it in resource.items()
        if name not in {"ReservedConcurrentExecutions", "Tags", "LoggingConfig"}
    }
    used = set(re.findall(r"'Ref': '([A-Za-z:]+)'", repr(of_a_version))) - NOT_OF_A_FUNCTION
    described = set(
        re.findall(r"\$\{(\w+)\}", properties(function)["VersionDescription"]["Fn::Sub"])
    )
    assert used
    assert described == used


def test_the_longest_description_of_a_version_is_allowed() -> None:
    """Lambda takes 256 characters."""
    parameters = template()["Parameters"]
    text = properties("ProxyFunction")["VersionDescription"]["Fn::Sub"]
    longest = {
        name: max(len(str(value)) for value in it.get("AllowedValues", [""]))
        for name, it in parameters.items()
    }
    longest |= {"ProviderKeysPath": parameters["ProviderKeysPath"]["MaxLength"]}
    longest |= {"MasterKeyDigest": 64}
    for name in re.findall(r"\$\{(\w+)\}", text):
        text = text.replace(f"${{{name}}}", "x" * longest[name])
    assert len(text) <= 256


def test_what_answers_requests_starts_from_a_snapshot() -> None:
    for function in ANSWERING:
        assert properties(function)["SnapStart"] == {"ApplyOn": {"Ref": "SnapStart"}}
    assert template()["Parameters"]["SnapStart"]["Default"] == "PublishedVersions"
    assert "SnapStart" not in properties("BudgetResetFunction")


def test_a_new_runtime_comes_to_the_data_plane_with_a_release_only() -> None:
    config = properties("ProxyFunction")["RuntimeManagementConfig"]
    assert config == {"UpdateRuntimeOn": "FunctionUpdate"}


@pytest.mark.parametrize(
    ("function", "alarm"), [("ProxyFunction", "ProxyErrors"), ("AdminFunction", "AdminErrors")]
)
def test_in_prod_a_tenth_of_the_requests_tries_a_release_and_its_alarm_takes_it_back(
    function: str, alarm: str
) -> None:
    group = sam.transformed_resources()[f"{function}DeploymentGroup"]["Properties"]
    condition, prod, dev = group["DeploymentConfigName"]["Fn::If"]
    assert condition == "IsProd"
    assert "Canary10Percent5Minutes" in repr(prod)
    assert "AllAtOnce" in repr(dev)
    condition, prod, _ = group["AlarmConfiguration"]["Fn::If"]
    assert condition == "IsProd"
    assert prod["Enabled"] is True
    assert prod["Alarms"] == [{"Name": {"Fn::GetAtt": ["Observability", f"Outputs.{alarm}"]}}]
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]


def test_two_stacks_of_one_account_do_not_collide() -> None:
    resources = sam.transformed_resources()
    schedule = resources["BudgetResetFunctionEveryFiveMinutes"]["Properties"]
    assert "${AWS::StackName}" in schedule["Name"]["Fn::Sub"]
    assert resources["Api"]["Properties"]["Name"] == {"Ref": "AWS::StackName"}
    named = {"FunctionName", "RoleName", "TableName", "QueueName", "LogGroupName", "TopicName"}
    fixed = [
        name
        for name, it in resources.items()
        for given in named & set(it.get("Properties", {}))
        if isinstance(it["Properties"][given], str)
    ]
    assert fixed == []
