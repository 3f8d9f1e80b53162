"""The books hold what the provider counted, at the price, whichever dialects stood between."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.e2e.deployment import INPUT_USD_PER_MILLION, OUTPUT_USD_PER_MILLION
from tests.e2e.dialects.ways import (
    ALL_RATES,
    CACHE_WRITE_1H_USD,
    CACHE_WRITE_USD,
    CACHED_USD,
    NAMES,
    SEARCH_USD,
    WAYS,
    Way,
)
from tests.e2e.gateway_process import NO_TLS, until
from tests.e2e.raw_http import Connection, message

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment, Holder
    from tests.fakes.anthropic_upstream import FakeAnthropic
    from tests.fakes.openai_upstream import FakeOpenAI

EVERY_WAY = pytest.mark.parametrize("way", WAYS, ids=NAMES)
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@pytest.fixture
def holder(served: Deployment) -> Holder:
    return served.holder("100")


def _ask(deployment: Deployment, holder: Holder, way: Way, body: bytes) -> httpx2.Response:
    url = deployment.gateway.url + way.path
    answer = httpx2.post(url, content=body, headers=holder.headers, timeout=20, verify=NO_TLS)
    assert answer.status_code == 200, answer.text
    return answer


def _only_record(deployment: Deployment, holder: Holder) -> dict[str, Any]:
    """The one record of a holder, once it is there and its money is settled."""
    assert until(lambda: deployment.books.records(holder.user_id) != [])
    assert until(lambda: deployment.account(holder).holds == ())
    deployment.check_closed(holder)
    (record,) = deployment.books.records(holder.user_id)
    return record


def _usd(*shares: tuple[int, Decimal]) -> Decimal:
    return sum((tokens * rate for tokens, rate in shares), Decimal(0)) / 1_000_000


@EVERY_WAY
@BOTH
def test_what_the_provider_counts_is_charged_at_its_price(
    served: Deployment, holder: Holder, way: Way, *, stream: bool
) -> None:
    words = "exact-1000+cached-400+cachewrite-200+thinks-3+words-7"
    if way.is_anthropics:
        words += "+cachewrite1h-100+searches-2"
    body = way.body(served.model(way.provider, words, **ALL_RATES), stream=stream)
    _ask(served, holder, way, body)
    record = _only_record(served, holder)
    kept, searches = (100, 2) if way.is_anthropics else (0, 0)
    assert (record["status"], record["is_estimated"]) == ("success", False)
    assert (record["input_tokens"], record["output_tokens"]) == (1000, 7)
    assert record["cached_input_tokens"] == 400
    assert record["cost_usd"] == searches * SEARCH_USD + _usd(
        (1000 - 400 - 200 - kept, INPUT_USD_PER_MILLION),
        (400, CACHED_USD),
        (200, CACHE_WRITE_USD),
        (kept, CACHE_WRITE_1H_USD),
        (7, OUTPUT_USD_PER_MILLION),
    )


@EVERY_WAY
@BOTH
def test_usage_that_nobody_reports_is_estimated_upward(
    served: Deployment, holder: Holder, way: Way, *, stream: bool
) -> None:
    body = way.body(served.model(way.provider, "nousage+words-9"), stream=stream)
    _ask(served, holder, way, body)
    record = _only_record(served, holder)
    assert (record["status"], record["is_estimated"]) == ("success", True)
    assert record["input_tokens"] >= len("Grüezi!".encode())
    assert 9 <= record["output_tokens"] <= 50
    assert record["cost_usd"] == _usd(
        (record["input_tokens"], INPUT_USD_PER_MILLION),
        (record["output_tokens"], OUTPUT_USD_PER_MILLION),
    )


@EVERY_WAY
def test_a_caller_who_leaves_cancels_the_provider_and_pays_for_what_came(
    served: Deployment,
    holder: Holder,
    upstream: FakeOpenAI,
    anthropic_upstream: FakeAnthropic,
    way: Way,
) -> None:
    fake = anthropic_upstream if way.is_anthropics else upstream
    body = way.body(served.model(way.provider, "slow-0.1"), stream=True)
    connection = Connection(served.gateway.port)
    connection.send(message("POST", way.path, holder.headers, body))
    seen = b""
    while b"w2" not in seen:
        seen = connection.read_until(b"\n")
    connection.close()
    assert fake.wait_until(lambda: fake.last.disconnected)
    record = _only_record(served, holder)
    assert record["status"] == "disconnected"
    assert len("w0 w1 w2") <= record["output_tokens"] < 50
    assert record["cost_usd"] > 0
    assert served.usage(holder)[0]["status"] == "error"


@EVERY_WAY
@pytest.mark.parametrize("fault", ["rst-30", "fin-30"])
def test_a_plain_answer_that_breaks_off_is_charged_in_full(
    served: Deployment, holder: Holder, way: Way, fault: str
) -> None:
    body = way.body(served.model(way.provider, fault), stream=False)
    url = served.gateway.url + way.path
    answer = httpx2.post(url, content=body, headers=holder.headers, timeout=20, verify=NO_TLS)
    assert answer.status_code == 502
    record = _only_record(served, holder)
    assert (record["status"], record["is_estimated"]) == ("error", True)
    assert record["cost_usd"] >= _usd((50, OUTPUT_USD_PER_MILLION))
