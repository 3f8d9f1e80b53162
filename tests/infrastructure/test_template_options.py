"""What a deployment may have beside the rest, and what it must be told for that."""

from __future__ import annotations

import re

import pytest

from tests.infrastructure.template import FUNCTIONS, observability, properties, template

OPTIONS = {
    "HasDomain": ["Domain", "DomainMapping"],
    "HasDomainRecord": ["DomainRecord"],
    "HasFunctionUrl": ["ProxyUrl", "ProxyUrlPermission", "ProxyUrlInvokePermission"],
    "HasWaf": ["Waf", "WafOfApi"],
}


@pytest.mark.parametrize("condition", OPTIONS)
def test_an_option_is_off_until_it_is_asked_for(condition: str) -> None:
    conditions = template()["Conditions"]
    parameter = re.findall(r"'Ref': '(\w+)'", repr(conditions[condition]))[-1]
    assert template()["Parameters"][parameter]["Default"] in ("", "false", 0)
    made = {
        name for name, it in template()["Resources"].items() if it.get("Condition") == condition
    }
    assert made == set(OPTIONS[condition])


def test_every_parameter_stands_in_a_group_and_is_used() -> None:
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template()["Parameters"])
    used = repr({name: it for name, it in template().items() if name != "Parameters"})
    assert all(f"'Ref': '{name}'" in used for name in grouped)


def test_what_is_optional_has_a_default_and_only_the_master_key_has_none() -> None:
    without = {name for name, it in template()["Parameters"].items() if "Default" not in it}
    assert without == {"MasterKeyDigest"}


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ("ProviderKeysPath", ["", "/bursar/dev/providers"], ["bursar", "/bursar/", "/a b", "/a/*"]),
        ("AlarmEmail", ["", "ops@example.com"], ["ops", "a b@example.com"]),
        ("ReservedConcurrency", ["unreserved", "50"], ["0", "", "many"]),
        (
            "ProviderKeysKmsKeyArn",
            ["", "arn:aws:kms:eu-central-1:123456789012:key/0a-1b"],
            ["alias/mine", "*"],
        ),
    ],
)
def test_a_parameter_that_cannot_be_right_is_refused(
    parameter: str, good: list[str], bad: list[str]
) -> None:
    pattern = template()["Parameters"][parameter]["AllowedPattern"]
    assert all(re.fullmatch(pattern, it) for it in good)
    assert not any(re.fullmatch(pattern, it) for it in bad)


def test_a_domain_without_a_certificate_is_refused() -> None:
    rule = template()["Rules"]["ADomainHasACertificate"]
    assert "DomainName" in repr(rule["RuleCondition"])
    assert "CertificateArn" in repr(rule["Assertions"][0]["Assert"])


def test_a_domain_leads_to_the_stage_in_this_region() -> None:
    assert properties("Domain")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert properties("Domain")["SecurityPolicy"] == "TLS_1_2"
    assert properties("DomainMapping")["Stage"] == {"Ref": "Api.Stage"}


def test_the_function_url_streams_from_the_alias() -> None:
    url = properties("ProxyUrl")
    assert (url["InvokeMode"], url["AuthType"]) == ("RESPONSE_STREAM", "NONE")
    assert (url["TargetFunctionArn"], url["Qualifier"]) == ({"Ref": "ProxyFunction"}, "live")
    allowed = [properties("ProxyUrlPermission"), properties("ProxyUrlInvokePermission")]
    assert {it["Action"] for it in allowed} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert all(it["FunctionName"] == {"Ref": "ProxyFunctionAliaslive"} for it in allowed)
    assert properties("ProxyUrlInvokePermission")["InvokedViaFunctionUrl"] is True


def test_the_firewall_counts_requests_and_never_reads_prompts() -> None:
    (rule,) = properties("Waf")["Rules"]
    assert rule["Statement"] == {
        "RateBasedStatement": {
            "AggregateKeyType": "IP",
            "Limit": {"Ref": "WafRequestsPer5Minutes"},
        }
    }
    assert rule["Action"] == {"Block": {"CustomResponse": {"ResponseCode": 429}}}
    assert properties("Waf")["VisibilityConfig"]["SampledRequestsEnabled"] is False


def test_the_api_limits_everybody_and_the_data_plane_what_it_takes_of_the_account() -> None:
    (settings,) = properties("Api")["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "ApiRateLimit"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "ApiBurstLimit"}
    assert settings["MetricsEnabled"] is True
    reserved = properties("ProxyFunction")["ReservedConcurrentExecutions"]["Fn::If"]
    assert reserved[:2] == ["HasReservedConcurrency", {"Ref": "ReservedConcurrency"}]


def test_what_costs_money_carries_the_stacks_tags() -> None:
    assert template()["Globals"]["Function"]["PropagateTags"] is True
    assert properties("Api")["PropagateTags"] is True
    tags = {"application", "environment"}
    assert set(template()["Globals"]["Function"]["Tags"]) == tags
    assert {it["Key"] for it in properties("Table")["Tags"]} == tags


def test_an_operator_finds_what_the_guide_names() -> None:
    outputs = template()["Outputs"]
    assert {
        "ApiUrl",
        "TableName",
        "DashboardUrl",
        "ProviderKeysPath",
        "MissedResetsUrl",
        *(f"{function}Name" for function in FUNCTIONS),
    } <= set(outputs)
    assert outputs["FunctionUrl"]["Condition"] == "HasFunctionUrl"
    assert set(observability()["Outputs"]) >= {"ProxyErrors", "AdminErrors", "Dashboard"}
