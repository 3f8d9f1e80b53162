"""Which providers a stack can call, from the names of its parameters alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from bursar.cli.failures import NOT_ALLOWED, Failed
from bursar.cli.options import Session
from bursar.cli.output import Output
from bursar.cli.profiles import Profile
from bursar.cli.reachable import providers_of
from bursar.cli.stack import StackConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
PATH = "/bursar/dev/providers"
KEY = "sk-canary-in-a-parameter"


def _row(name: str, *, needs_key: bool = True) -> dict[str, Any]:
    return {
        "name": name,
        "needs_key": needs_key,
        "host": f"api.{name}.com",
        "is_configured": None,
        "has_key": None,
        "key_from": None,
        "key_name": None,
    }


KNOWN = [
    _row("anthropic"),
    _row("bedrock", needs_key=False),
    _row("groq"),
    _row("ollama", needs_key=False),
    _row("openai"),
]


class _Stack(StackConnection):
    """A stack whose control plane says what it knows: nothing."""

    def ask(self, method: str, path: str, *_: object, **__: object) -> Any:
        assert (method, path) == ("GET", "/v1/providers")
        return [dict(each) for each in KNOWN]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    with mock_aws():
        aws = boto3.Session(region_name=REGION)
        template = {
            "Parameters": {"RoleProviders": {"Type": "String"}},
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        }
        aws.client("cloudformation").create_stack(
            StackName="dev",
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": "RoleProviders", "ParameterValue": "bedrock"}],
        )
        stack = _Stack("dev", REGION, {"ProviderKeysPath": PATH}, aws)
        yield Session(stack, Output(), Profile(stack="dev"))


def _put(session: Session, name: str) -> None:
    client = session.connection.session.client("ssm")  # type: ignore[attr-defined]
    client.put_parameter(Name=name, Value=KEY, Type="SecureString")


def _told(session: Session) -> dict[str, tuple[Any, ...]]:
    found = providers_of(session)
    assert KEY not in repr(found)
    return {
        each["name"]: (each["is_configured"], each["has_key"], each["key_from"], each["host"])
        for each in found
    }


def test_the_names_of_parameters_tell_which_have_keys(session: Session) -> None:
    _put(session, f"{PATH}/openai/api_key")
    _put(session, f"{PATH}/anthropic/api_key")
    _put(session, f"{PATH}/anthropic/api_base")
    _put(session, "/bursar/another/providers/groq/api_key")

    assert _told(session) == {
        "anthropic": (True, True, "parameters", None),
        "bedrock": (True, False, "role", "api.bedrock.com"),
        "groq": (False, False, None, "api.groq.com"),
        "ollama": (False, False, None, "api.ollama.com"),
        "openai": (True, True, "parameters", "api.openai.com"),
    }
    (openai,) = [each for each in providers_of(session) if each["name"] == "openai"]
    assert openai["key_name"] == f"{PATH}/openai/api_key"


def test_servers_of_ones_own_are_among_them(session: Session) -> None:
    _put(session, f"{PATH}/mine/api_base")
    _put(session, f"{PATH}/ollama/api_base")

    told = _told(session)

    assert told["mine"] == told["ollama"] == (True, False, None, None)


def test_more_parameters_than_one_page_are_all_read(session: Session) -> None:
    for number in range(60):
        _put(session, f"{PATH}/server-{number:02}/api_base")
    assert sum(name.startswith("server-") for name in _told(session)) == 60


def test_whoever_may_not_read_the_names_is_told_what_is_missing(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bursar.cli.reachable._parameter_names", _refused)
    with pytest.raises(Failed, match="ssm:DescribeParameters") as refused:
        providers_of(session)
    assert refused.value.exit_code == NOT_ALLOWED


def _refused(*_: object) -> list[str]:
    from botocore.exceptions import ClientError  # noqa: PLC0415 (only this test needs it)

    error = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
    raise ClientError(error, "DescribeParameters")
