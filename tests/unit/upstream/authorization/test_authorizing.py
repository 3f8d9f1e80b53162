from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bursar.domain.errors import (
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bursar.domain.upstream import Authorization, UpstreamRequest
from bursar.upstream.authorization.authorizing import AuthorizingUpstream
from bursar.upstream.authorization.schemes import schemes
from tests.fakes.token_endpoint import TokenWorld

SECRET = "canary-secret-0123456789"
ENTRA = {"tenant_id": "tenant/1", "client_id": "client-1"}


class Rig:
    def __init__(self, **world: Any) -> None:
        self.world = TokenWorld(**world)
        self.upstream = AuthorizingUpstream(self.world, schemes({}, self.world, self.world.clock))

    async def call(
        self,
        scheme: str | None = "ibm",
        secret: str | None = SECRET,
        parameters: dict[str, str] | None = None,
        *,
        allows_private: bool = False,
    ) -> int:
        authorization = None
        if scheme is not None:
            authorization = Authorization(scheme, secret, parameters or {})
        request = UpstreamRequest(
            "watsonx",
            "https://x.example/chat",
            {"content-type": "application/json"},
            b"{}",
            authorization=authorization,
            allows_private=allows_private,
        )
        return (await self.upstream.send(request)).status

    def tokens(self) -> list[str | None]:
        return [call.headers.get("authorization") for call in self.world.calls]


async def test_a_request_without_a_scheme_is_passed_on_as_it_is() -> None:
    rig = Rig()
    await rig.call(None)
    assert rig.world.calls[0].headers == {"content-type": "application/json"}
    await rig.upstream.close()
    assert rig.world.is_closed


async def test_a_scheme_that_nobody_knows_costs_nothing() -> None:
    with pytest.raises(UpstreamUnreachable, match="no scheme 'magic'"):
        await Rig().call("magic")


async def test_an_api_key_of_ibms_is_exchanged_for_a_token() -> None:
    rig = Rig()
    await rig.call("ibm")
    [asked] = rig.world.exchanges
    assert asked.url == "https://iam.cloud.ibm.com/identity/token"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert rig.world.forms == [
        {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": SECRET}
    ]
    assert rig.tokens() == ["Bearer token-1"]
    assert SECRET not in str(rig.world.calls[0].headers)
    assert rig.world.calls[0].authorization is None


async def test_an_identity_of_entra_is_exchanged_for_a_token_of_its_tenant() -> None:
    rig = Rig()
    await rig.call("azure", SECRET, ENTRA)
    [asked] = rig.world.exchanges
    assert asked.url == "https://login.microsoftonline.com/tenant%2F1/oauth2/v2.0/token"
    assert rig.world.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "client-1",
            "client_secret": SECRET,
            "scope": "https://cognitiveservices.azure.com/.default",
        }
    ]


async def test_fifty_requests_at_once_make_one_exchange() -> None:
    rig = Rig()
    await asyncio.gather(*(rig.call() for _ in range(50)))
    assert len(rig.world.exchanges) == 1
    assert rig.tokens() == ["Bearer token-1"] * 50


async def test_fifty_requests_share_one_failure_and_the_next_one_tries_again() -> None:
    rig = Rig()
    rig.world.status = 503
    outcomes = await asyncio.gather(*(rig.call() for _ in range(50)), return_exceptions=True)
    assert all(isinstance(it, UpstreamUnreachable) for it in outcomes)
    assert len({id(it) for it in outcomes}) == 50  # each of its own, with a traceback of its own
    assert len(rig.world.exchanges) == 1
    rig.world.status = 200
    assert await rig.call() == 200


async def test_one_who_gives_up_does_not_take_the_exchange_from_the_others() -> None:
    rig = Rig()
    first = asyncio.ensure_future(rig.call())
    others = [asyncio.ensure_future(rig.call()) for _ in range(3)]
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.gather(*others) == [200, 200, 200]
    assert len(set(rig.tokens())) == 1


@pytest.mark.parametrize(
    ("lifetime_s", "later_s", "exchanges"),
    [(3600, 3299, 1), (3600, 3301, 2), (120, 59, 1), (120, 61, 2)],
)
async def test_a_token_is_kept_until_five_minutes_before_it_expires_or_half_its_life(
    lifetime_s: float, later_s: float, exchanges: int
) -> None:
    rig = Rig(lifetime_s=lifetime_s)
    await rig.call()
    rig.world.now_s += later_s
    await rig.call()
    assert len(rig.world.exchanges) == exchanges


async def test_a_token_that_cannot_be_renewed_is_used_as_long_as_it_holds() -> None:
    rig = Rig()
    await rig.call()
    rig.world.status = 503
    rig.world.now_s += 3400
    assert await asyncio.gather(*(rig.call() for _ in range(3))) == [200, 200, 200]
    assert len(rig.world.exchanges) == 2
    rig.world.now_s += 31
    assert await rig.call() == 200
    assert len(rig.world.exchanges) == 3
    rig.world.now_s += 170
    with pytest.raises(UpstreamUnreachable):
        await rig.call()


async def test_a_refused_token_is_not_used_again_though_no_other_can_be_had() -> None:
    rig = Rig()
    await rig.call()
    rig.world.now_s += 3400
    rig.world.status, rig.world.withdrawn = 503, {"token-1"}
    with pytest.raises(UpstreamUnreachable):
        await rig.call()


async def test_each_credential_has_a_token_of_its_own() -> None:
    rig = Rig()
    await rig.call("azure", "one", ENTRA)
    await rig.call("azure", "two", ENTRA)
    await rig.call("azure", "one", {**ENTRA, "tenant_id": "other"})
    await rig.call("azure", "one", ENTRA)
    assert rig.tokens() == [f"Bearer token-{number}" for number in (1, 2, 3, 1)]


async def test_a_withdrawn_token_is_replaced_and_the_request_sent_once_more() -> None:
    rig = Rig()
    await rig.call()
    rig.world.now_s += 61
    rig.world.withdrawn.add("token-1")
    assert await rig.call() == 200
    assert rig.tokens() == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
    assert rig.world.answers[1].is_closed


async def test_a_provider_that_refuses_every_token_is_not_asked_over_and_over() -> None:
    rig = Rig()
    rig.world.withdrawn |= {f"token-{number}" for number in range(9)}
    assert [await rig.call() for _ in range(3)] == [401, 401, 401]
    assert len(rig.world.exchanges) == 1
    assert len(rig.world.calls) == 3


async def test_many_refusals_at_once_make_one_exchange() -> None:
    rig = Rig()
    await rig.call()
    rig.world.now_s += 61
    rig.world.withdrawn.add("token-1")
    assert await asyncio.gather(*(rig.call() for _ in range(20))) == [200] * 20
    assert len(rig.world.exchanges) == 2


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b"{}", r"refused the credentials \(401\)"),
        (400, SECRET.encode(), r"refused the credentials \(400\)"),
        (200, b"not json", "holds no token"),
        (200, b"\xff", "holds no token"),
        (200, b'{"access_token": "x"}', "holds no token"),
        (200, b'{"access_token": "x", "expires_in": 0}', "holds no token"),
        (200, json.dumps({"access_token": "a\nb", "expires_in": 60}).encode(), "holds no token"),
        (200, json.dumps({"access_token": "x" * 99_999, "expires_in": 60}).encode(), "no token"),
    ],
)
async def test_an_exchange_that_gives_no_token_spends_nothing_and_says_no_secret(
    status: int, body: bytes, reason: str
) -> None:
    rig = Rig()
    rig.world.status, rig.world.body = status, body
    with pytest.raises(UpstreamUnreachable, match=reason) as failed:
        await rig.call()
    assert "watsonx's token endpoint" in failed.value.message
    assert SECRET not in failed.value.message
    assert rig.world.calls == []


@pytest.mark.parametrize(
    "failure", [UpstreamTimeout("slow"), UpstreamBroken("broken"), UpstreamUnreachable("gone")]
)
async def test_an_exchange_that_breaks_is_no_fault_of_the_provider_who_saw_nothing(
    failure: UpstreamError,
) -> None:
    rig = Rig()
    rig.world.failure = failure
    with pytest.raises(UpstreamUnreachable, match=failure.message):
        await rig.call()


async def test_seconds_may_come_as_text() -> None:
    rig = Rig()
    rig.world.body = b'{"access_token": "t", "expires_in": "3600"}'
    assert await rig.call() == 200


async def test_a_token_endpoint_of_the_administrators_own_is_guarded_as_the_provider_is() -> None:
    rig = Rig()
    url = "https://login.example/token"
    await rig.call("azure", SECRET, ENTRA)
    await rig.call("azure", SECRET, {**ENTRA, "token_url": url})
    await rig.call("azure", "other", {**ENTRA, "token_url": url}, allows_private=True)
    assert [it.allows_private for it in rig.world.exchanges] == [True, False, True]
    assert [it.url for it in rig.world.exchanges][1:] == [url, url]


def test_what_is_kept_shows_no_secret() -> None:
    from bursar.upstream.authorization.scheme import Grant  # noqa: PLC0415 (for its repr alone)
    from bursar.upstream.authorization.tokens import Token, _Entry  # noqa: PLC0415 (as above)

    assert SECRET not in repr([Grant({"x": SECRET}), Token(SECRET, 1), _Entry(token=SECRET)])
