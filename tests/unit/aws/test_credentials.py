from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bursar.aws.credentials import ContainerCredentials, Credentials, credentials_from
from bursar.domain.errors import StoreUnavailable, WrongSetting
from tests.fakes.http_server import Exchange, HttpServer

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


class Endpoint:
    """A container's credentials endpoint, whose keys are numbered and last an hour."""

    def __init__(self) -> None:
        self.now = NOW
        self.given = 0
        self.status = 200
        self.server = HttpServer(self.answer)

    async def answer(self, exchange: Exchange) -> None:
        self.given += 1
        body = {
            "AccessKeyId": f"AKID{self.given}",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": (self.now + timedelta(hours=1)).isoformat(),
            "RoleArn": "arn:aws:iam::123456789012:role/gateway",
        }
        await exchange.answer(self.status, {}, json.dumps(body).encode())

    def source(self) -> ContainerCredentials:
        return ContainerCredentials(
            f"{self.server.origin}/v2/credentials?id=1", lambda: "canary", lambda: self.now
        )


async def test_fixed_credentials_come_from_the_environment() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"}

    plain = await credentials_from(environ, is_local=False).current()
    with_token = {**environ, "AWS_SESSION_TOKEN": "t"}
    temporary = await credentials_from(with_token, is_local=True).current()

    assert plain == Credentials("AKID", "s")
    assert temporary == Credentials("AKID", "s", "t")


async def test_a_local_engine_needs_no_credentials() -> None:
    found = await credentials_from({}, is_local=True).current()

    assert found.access_key_id == "local"


def test_without_credentials_the_start_stops_and_says_what_to_set() -> None:
    with pytest.raises(WrongSetting, match="AWS_ACCESS_KEY_ID"):
        credentials_from({"AWS_ACCESS_KEY_ID": "AKID"}, is_local=False)


async def test_a_containers_endpoint_is_asked_with_its_authorization(tmp_path: Path) -> None:
    endpoint = Endpoint()
    token_file = tmp_path / "token"
    token_file.write_text("from-file\n")
    with endpoint.server as server:
        url = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.origin}/creds?x=1"}
        by_value = {**url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "by-value"}
        by_file = {**by_value, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token_file)}
        found = [
            await credentials_from(environ, is_local=False).current()
            for environ in (url, by_value, by_file)
        ]

    assert found[0] == Credentials("AKID1", "secret", "token")
    assert [request.headers.get("authorization") for request in server.requests] == [
        None,
        "by-value",
        "from-file",
    ]
    assert server.last.path == "/creds?x=1"


async def test_a_containers_credentials_are_kept_until_shortly_before_they_expire() -> None:
    endpoint = Endpoint()
    with endpoint.server:
        source = endpoint.source()
        first = await source.current()
        endpoint.now += timedelta(minutes=54)
        again = await source.current()
        endpoint.now += timedelta(minutes=2)
        renewed = await source.current()

    assert first == again
    assert [first.access_key_id, renewed.access_key_id] == ["AKID1", "AKID2"]


async def test_credentials_that_cannot_be_renewed_serve_until_they_expire() -> None:
    endpoint = Endpoint()
    with endpoint.server:
        source = endpoint.source()
        first = await source.current()
        endpoint.status = 500
        endpoint.now += timedelta(minutes=56)
        assert await source.current() == first
        endpoint.now += timedelta(minutes=5)

        with pytest.raises(StoreUnavailable):
            await source.current()


async def test_an_endpoint_that_answers_nonsense_gives_no_credentials() -> None:
    async def nonsense(exchange: Exchange) -> None:
        await exchange.answer(200, {}, b'{"Code": "Failed"}')

    with HttpServer(nonsense) as server:
        source = ContainerCredentials(server.origin, lambda: None)

        with pytest.raises(StoreUnavailable):
            await source.current()


@pytest.mark.parametrize(
    "url", ["http://credentials.example/", "ftp://127.0.0.1/", "/relative", "http://[", ""]
)
def test_credentials_are_asked_for_nowhere_else(url: str) -> None:
    with pytest.raises(WrongSetting):
        ContainerCredentials(url, lambda: None)


def test_a_tasks_relative_address_is_below_its_fixed_endpoint() -> None:
    environ = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"}

    source = credentials_from(environ, is_local=False)

    assert isinstance(source, ContainerCredentials)
    assert source._origin.host == "169.254.170.2"
