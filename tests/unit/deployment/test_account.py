"""What a deployment asks of AWS, against moto's server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from infra.deployment.aws import Account

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
TEMPLATE = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    "Outputs": {"ApiUrl": {"Value": "https://gateway.example"}},
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def client(service: str, endpoint: str) -> Any:
    return boto3.client(service, region_name=REGION, endpoint_url=endpoint)


def test_a_stack_that_is_not_there_has_no_outputs_and_one_that_is_has(endpoint: str) -> None:
    account = Account(REGION, endpoint)
    assert account.outputs("bursar-dev") is None
    client("cloudformation", endpoint).create_stack(
        StackName="bursar-dev", TemplateBody=json.dumps(TEMPLATE)
    )
    assert account.outputs("bursar-dev") == {"ApiUrl": "https://gateway.example"}


def test_a_provider_key_is_kept_encrypted_and_replaced_by_the_next(endpoint: str) -> None:
    account = Account(REGION, endpoint)
    for key in ("sk-first", "sk-second"):
        account.keep_provider_key("/bursar/dev/providers", "openai", key)
    found = client("ssm", endpoint).get_parameter(
        Name="/bursar/dev/providers/openai/api_key", WithDecryption=True
    )["Parameter"]
    assert (found["Type"], found["Value"]) == ("SecureString", "sk-second")


def test_no_region_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(ValueError, match="AWS_REGION"):
        _ = Account(None).region
