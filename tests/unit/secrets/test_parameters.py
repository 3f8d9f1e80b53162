"""The client of Systems Manager, against moto's server and botocore's signature."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from bursar import bootstrap
from bursar.aws.credentials import Credentials
from bursar.domain.errors import StoreUnavailable, WrongSetting
from bursar.secrets.parameters import checked_path, connect_parameters
from bursar.settings import load_settings
from bursar.upstream.mock import MockUpstream
from functions.server import start
from tests.fakes.http_server import Exchange, HttpServer
from tests.unit.aws.test_sigv4 import botocores_authorization

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/bursar/test/providers"
CANARY = "sk-canary-0123456789"
KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "eu-central-1"}


@pytest.fixture(scope="module")
def environ() -> Iterator[dict[str, str]]:
    """What a function finds in its environment, with moto in place of AWS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {**KEYS, "AWS_ENDPOINT_URL_SSM": f"http://{host}:{port}"}
    server.stop()


@pytest.fixture(scope="module")
def ssm(environ: dict[str, str]) -> Any:
    client = boto3.client(
        "ssm",
        region_name="eu-central-1",
        endpoint_url=environ["AWS_ENDPOINT_URL_SSM"],
        aws_access_key_id="AKID",
        aws_secret_access_key="s",
    )
    for number in range(12):
        put(client, f"{PATH}/own{number}/api_base", f"https://own{number}.example/v1", "String")
    put(client, f"{PATH}/openai/api_key", CANARY)
    put(client, "/bursar/other/providers/openai/api_key", "of another stack")
    return client


def put(client: Any, name: str, value: str, kind: str = "SecureString") -> None:
    client.put_parameter(Name=name, Value=value, Type=kind, Overwrite=True)


async def test_every_page_is_read_opened_and_nothing_of_another_path(
    environ: dict[str, str], ssm: Any
) -> None:
    found = await connect_parameters(environ).under(PATH)
    assert len(found) == 13
    assert found["openai/api_key"] == CANARY
    assert found["own11/api_base"] == "https://own11.example/v1"


async def test_a_deployment_whose_keys_are_parameters_finds_its_providers(
    environ: dict[str, str], ssm: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    variables = {**environ, "BURSAR_PROVIDER_KEYS_PATH": PATH}
    reached = bootstrap.providers(load_settings(variables), variables, MockUpstream())
    assert reached.refreshed is not None

    targets = await reached.refreshed()

    assert targets["openai"].api_key == CANARY
    assert targets["own3"].base_url == "https://own3.example/v1"
    shown = f"{reached!r}{targets!r}{reached.refreshed!r}{caplog.text}"
    assert CANARY not in shown + repr([vars(it) for it in caplog.records])


async def test_a_container_whose_keys_are_parameters_offers_no_mock() -> None:
    variables = {**KEYS, "BURSAR_PROVIDER_KEYS_PATH": PATH}
    reached = start._providers(load_settings(variables), variables)
    await reached.upstream.close()
    assert reached.targets == {}
    assert reached.refreshed is not None


def test_a_deployment_without_parameters_asks_nobody() -> None:
    assert bootstrap.providers(load_settings({}), {}, MockUpstream()).refreshed is None


async def test_what_is_sent_is_signed_as_botocore_signs_it() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(200, {}, b'{"Parameters": []}')

    with HttpServer(answer) as server:
        parameters = connect_parameters({**KEYS, "AWS_ENDPOINT_URL": server.origin})
        assert await parameters.under(PATH) == {}

    headers = dict(server.last.headers)
    assert headers["x-amz-target"] == "AmazonSSM.GetParametersByPath"
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert json.loads(server.last.body) == {
        "Path": PATH,
        "Recursive": True,
        "WithDecryption": True,
    }
    headers.pop("content-length")
    expected = botocores_authorization(Credentials("AKID", "s"), headers, server.last.body, "ssm")
    assert headers["authorization"] == expected


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, {"__type": "AccessDeniedException", "message": CANARY}, "AccessDeniedException"),
        (400, {"__type": "InvalidKeyId", "message": CANARY}, "InvalidKeyId"),
        (200, {"Parameters": [{"Name": "a", "Value": [CANARY]}]}, "not what it documents"),
        (500, {"message": CANARY}, "did not carry out"),
    ],
)
async def test_a_failure_says_what_failed_and_no_value(
    status: int, body: dict[str, Any], reason: str
) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer(status, {}, json.dumps(body).encode())

    with HttpServer(answer) as server:
        parameters = connect_parameters({**KEYS, "AWS_ENDPOINT_URL_SSM": server.origin})
        with pytest.raises(StoreUnavailable, match=f"Systems Manager.*{reason}") as failure:
            await parameters.under(PATH)

    assert failure.value.__context__ is None
    assert CANARY not in str(failure.value)


@pytest.mark.parametrize("path", ["", "bursar", "/bursar/", "/bursar//x", "/a b", "/a/*"])
def test_a_path_that_cannot_be_one_stops_the_start(path: str) -> None:
    with pytest.raises(WrongSetting, match="BURSAR_PROVIDER_KEYS_PATH"):
        checked_path(path)


def test_a_path_without_a_region_stops_the_start() -> None:
    variables = {"BURSAR_PROVIDER_KEYS_PATH": PATH}
    with pytest.raises(WrongSetting, match="AWS_REGION"):
        bootstrap.providers(load_settings(variables), variables, MockUpstream())
