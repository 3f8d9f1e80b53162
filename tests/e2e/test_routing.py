"""Aliases over real sockets: providers that fail in every way, and budgets that hold meanwhile."""

from __future__ import annotations

import asyncio
import json
import socket
import uuid
from collections import Counter
from contextlib import ExitStack
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.e2e.deployment import PROVIDER_KEY, Deployment
from tests.e2e.gateway_process import NO_TLS, until
from tests.fakes.openai_behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.deployment import Holder
    from tests.fakes.openai_upstream import FakeOpenAI

CHAT = "/v1/chat/completions"
GOOD = "openai:exact-9"
AWAY = "groq:away"
TOKENS = 50
USD_PER_MILLION = Decimal(4)
QUOTE_USD = TOKENS * USD_PER_MILLION / 1_000_000


class Turns(dict[str, Behaviour]):
    """Behaviours for one request each; then the model's name decides again."""

    def get(self, model: str, default: Any = None) -> Any:
        return self.pop(model, default)


class WithOneAway(Deployment):
    """A deployment one of whose providers refuses every connection."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Bound and not listening: it refuses, and nobody else can take its port.
        self.away = socket.socket()
        self.away.bind(("127.0.0.1", 0))

    def _providers(self) -> dict[str, dict[str, str]]:
        port = self.away.getsockname()[1]
        away = {"api_key": PROVIDER_KEY, "api_base": f"http://127.0.0.1:{port}/v1"}
        return {**super()._providers(), "groq": away}


@pytest.fixture(scope="module")
def deployment(
    dynoxide: str, upstream: FakeOpenAI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    made = WithOneAway(tmp_path_factory.mktemp("routing"), dynoxide, upstream)
    with made.away:
        yield made
    made.books.close()


@pytest.fixture
def holder(served: Deployment) -> Holder:
    served.upstream.behaviours = Turns()
    return served.holder("1")


def an_alias(deployment: Deployment, *models: str, **fields: Any) -> str:
    """An alias of models that all cost the same, unless they are priced already."""
    name = f"alias-{uuid.uuid4().hex[:8]}"
    for model in models:
        deployment.price(model, output=str(USD_PER_MILLION))
    targets = [{"model": model} for model in models]
    body = {"name": name, "targets": targets, "retries": 0, **fields}
    deployment.gateway.admin("POST", "/v1/aliases", body)
    return name


def _body(model: str, **fields: Any) -> bytes:
    messages = [{"role": "user", "content": "?"}]
    return json.dumps(
        {"model": model, "messages": messages, "max_tokens": TOKENS, **fields}
    ).encode()


def _ask(deployment: Deployment, holder: Holder, model: str, **fields: Any) -> httpx2.Response:
    return httpx2.post(
        deployment.gateway.url + CHAT,
        content=_body(model, **fields),
        headers=holder.headers,
        timeout=30,
        verify=NO_TLS,
    )


def _asked(deployment: Deployment, before: int) -> list[str]:
    return [request.json()["model"] for request in deployment.upstream.requests[before:]]


def test_a_failure_that_passes_is_tried_again(served: Deployment, holder: Holder) -> None:
    served.price(GOOD, output=str(USD_PER_MILLION))
    served.upstream.behaviours["exact-9"] = Behaviour(status=503)
    before = len(served.upstream.requests)

    answer = _ask(served, holder, GOOD)

    assert answer.status_code == 200
    assert answer.headers["x-bursar-route"] == "retry;because=upstream_5xx"
    assert answer.headers["x-bursar-attempts"] == "2"
    assert _asked(served, before) == ["exact-9"] * 2
    served.check_closed(holder)
    (record,) = served.usage(holder)
    assert (record["attempts"], record["route"]) == (2, "retry;because=upstream_5xx")


def test_a_rate_limit_is_waited_for_as_long_as_it_asks(served: Deployment, holder: Holder) -> None:
    served.price(GOOD, output=str(USD_PER_MILLION))
    served.upstream.behaviours["exact-9"] = Behaviour(status=429, retry_after="1")
    answer = _ask(served, holder, GOOD)
    assert (answer.status_code, answer.headers["x-bursar-attempts"]) == (200, "2")
    assert answer.elapsed.total_seconds() >= 1


@pytest.mark.parametrize(
    ("failing", "because"),
    [
        ("openai:error-429+retryafter-60", "upstream_429"),
        ("openai:error-500", "upstream_5xx"),
        ("openai:error-404", "upstream_4xx"),
        (AWAY, "upstream_unreachable"),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_what_one_target_cannot_serve_the_next_one_does(
    served: Deployment, holder: Holder, failing: str, because: str, *, stream: bool
) -> None:
    alias = an_alias(served, failing, GOOD)

    answer = _ask(served, holder, alias, stream=stream)

    assert answer.status_code == 200
    assert answer.headers["x-bursar-model"] == GOOD
    assert answer.headers["x-bursar-route"].startswith(f"fallback;after={failing}")
    assert answer.headers["x-bursar-route"].endswith(f";because={because}")
    if stream:
        assert answer.text.endswith("data: [DONE]\n\n")
    assert until(lambda: served.books.records(holder.user_id) != [])
    served.check_closed(holder)
    (record,) = served.usage(holder)
    assert (record["alias"], record["provider"], record["model"]) == (alias, "openai", "exact-9")
    assert record["route"] == answer.headers["x-bursar-route"]
    assert record["cost"] == float(QUOTE_USD)


def test_the_last_failure_is_told_and_nothing_is_charged(
    served: Deployment, holder: Holder
) -> None:
    alias = an_alias(served, AWAY, "openai:error-500", "openai:error-429+retryafter-60")
    answer = _ask(served, holder, alias)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert answer.headers["x-bursar-attempts"] == "3"
    served.check_closed(holder)
    assert served.account(holder).committed_usd == 0


def test_a_stream_that_breaks_off_after_it_began_is_not_begun_again(
    served: Deployment, holder: Holder
) -> None:
    alias = an_alias(served, "openai:exact-9+rst-3", GOOD)
    before = len(served.upstream.requests)
    answer = _ask(served, holder, alias, stream=True)
    assert answer.headers["x-bursar-route"] == "primary"
    assert "An error occurred during streaming" in answer.text
    assert _asked(served, before) == ["exact-9+rst-3"]
    assert until(lambda: served.account(holder).holds == ())
    served.check_closed(holder)


def test_an_answer_that_breaks_off_is_charged_and_not_asked_for_again(
    served: Deployment, holder: Holder
) -> None:
    alias = an_alias(served, "openai:exact-9+rst-10", GOOD)
    before = len(served.upstream.requests)
    answer = _ask(served, holder, alias)
    assert answer.status_code == 502
    assert _asked(served, before) == ["exact-9+rst-10"]
    served.check_closed(holder)
    assert served.account(holder).committed_usd == QUOTE_USD


def test_a_target_that_keeps_failing_goes_last(served: Deployment, holder: Holder) -> None:
    alias = an_alias(served, "openai:error-502", GOOD)
    for _ in range(5):
        _ask(served, holder, alias)
    before = len(served.upstream.requests)
    answer = _ask(served, holder, alias)
    assert (
        answer.headers["x-bursar-route"] == "fallback;after=openai:error-502;because=circuit_open"
    )
    assert _asked(served, before) == ["exact-9"]


def test_a_weighted_alias_spreads_its_requests(served: Deployment, holder: Holder) -> None:
    models = ["openai:exact-9", "openai:exact-8"]
    targets = [
        {"model": model, "weight": weight} for model, weight in zip(models, (3, 1), strict=True)
    ]
    served.price(models[1], output=str(USD_PER_MILLION))
    alias = an_alias(served, models[0], targets=targets, strategy="weighted")
    routes = Counter(_ask(served, holder, alias).headers["x-bursar-model"] for _ in range(60))
    # Of 60 draws at 3 to 1, fewer than 20 or none of the other come once in a hundred million.
    assert 20 <= routes[models[0]] < 60


def test_the_cheaper_model_goes_first_when_the_budget_runs_low(served: Deployment) -> None:
    served.upstream.behaviours = Turns()
    served.price("openai:exact-1", output=str(USD_PER_MILLION / 10))
    down = {"below_share": 0.5, "model": "openai:exact-1"}
    alias = an_alias(served, GOOD, tier_down=down)
    holder = served.holder(4 * QUOTE_USD)
    routes = [_ask(served, holder, alias).headers["x-bursar-route"] for _ in range(4)]
    assert routes == ["primary"] * 3 + ["tier-down;because=budget_low"]
    served.check_closed(holder)


def test_a_target_that_never_answers_is_charged_and_ends_the_request(
    deployment: Deployment, served: Deployment
) -> None:
    alias = an_alias(served, "openai:hang", GOOD)
    holder = served.holder("1")
    with deployment.running(request_timeout_s="2") as impatient:
        before = len(deployment.upstream.requests)
        answer = httpx2.post(
            impatient.url + CHAT, content=_body(alias), headers=holder.headers, timeout=30
        )
    assert answer.status_code == 504
    assert _asked(deployment, before) == ["hang"]
    served.check_closed(holder)
    assert served.account(holder).committed_usd == QUOTE_USD


@pytest.mark.parametrize("first_price", ["2", "8"], ids=["cheaper first", "dearer first"])
async def test_of_100_requests_at_once_that_all_fall_back_no_more_are_served_than_paid_for(
    deployment: Deployment, served: Deployment, first_price: str
) -> None:
    served.upstream.behaviours = Turns()
    holder = served.holder(20 * QUOTE_USD)
    failing = f"openai:error-503+price-{first_price}"
    alias = an_alias(served, failing, GOOD)
    served.price(failing, output=first_price)
    with ExitStack() as stack:
        gateways = [served.gateway, *(stack.enter_context(deployment.running()) for _ in range(2))]
        before = len(deployment.upstream.requests)
        content = _body(alias, fake={"delay_s": 0.2})
        async with httpx2.AsyncClient(timeout=60) as client:
            answers = await asyncio.gather(
                *(
                    client.post(
                        gateways[at % 3].url + CHAT, content=content, headers=holder.headers
                    )
                    for at in range(100)
                )
            )
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 403, 502}
    assert statuses[200] <= 20
    # Who falls back while the others still hold may find no room; what that leaves is not lost.
    later = sum(_ask(served, holder, GOOD).status_code == 200 for _ in range(21 - statuses[200]))
    assert statuses[200] + later == 20
    assert _asked(deployment, before).count("exact-9") == 20
    account = served.account(holder)
    assert account.holds == ()
    assert account.committed_usd == 20 * QUOTE_USD == served.books.cost_usd(holder.user_id)
