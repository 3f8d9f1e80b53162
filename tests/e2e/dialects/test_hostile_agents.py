"""Coding agents before providers that count a token a byte of what they get, tools and all.

Their requests are mostly tools and schemas, which a translation writes anew; the quote was made of
what the agent sent.
"""

from __future__ import annotations

import json
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.e2e.deployment import INPUT_USD_PER_MILLION
from tests.e2e.dialects.ways import ALL_RATES
from tests.e2e.gateway_process import until
from tests.e2e.raw_http import Connection, message
from tests.fakes.dense_tokens import dense_tokens
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.wire_files import wire_json

if TYPE_CHECKING:
    from decimal import Decimal

    from tests.e2e.deployment import Deployment
    from tests.fakes.anthropic_upstream import FakeAnthropic
    from tests.fakes.openai_upstream import FakeOpenAI

CAPTURES = {
    "claude-code-tool-results": ("anthropic", "openai"),
    "claude-code-title": ("anthropic", "openai"),
    "codex-turn": ("openai", "cerebras", "anthropic"),
    "codex-tool-results": ("openai", "cerebras", "anthropic"),
}
PAIRS = [(name, provider) for name, providers in CAPTURES.items() for provider in providers]


@pytest.mark.parametrize(("name", "provider"), PAIRS)
def test_what_is_billed_at_a_token_a_byte_was_quoted(
    served: Deployment,
    upstream: FakeOpenAI,
    anthropic_upstream: FakeAnthropic,
    name: str,
    provider: str,
) -> None:
    holder = served.holder("1000")
    capture = wire_json(f"clients/{name}.json")
    fake, is_seen = anthropic_upstream if provider == "anthropic" else upstream, Event()
    fake.behaviours["hostile"] = Behaviour(hostile=True, is_held=lambda: not is_seen.is_set())
    model = served.model(provider, "hostile", **ALL_RATES)
    body = json.dumps({**capture["body"], "model": model}, ensure_ascii=False).encode()
    headers = {**capture["headers"], **holder.headers}
    with Connection(served.gateway.port) as connection:
        connection.send(message("POST", capture["path"], headers, body))
        assert until(lambda: served.books.open_holds() > 0)
        quoted_usd: Decimal = served.account(holder).committed_usd
        is_seen.set()
        assert connection.response().status == 200
    served.check_closed(holder)
    (record,) = served.books.records(holder.user_id)
    assert record["input_tokens"] == dense_tokens(fake.last.json())
    assert record["cost_usd"] >= record["input_tokens"] * INPUT_USD_PER_MILLION / 1_000_000
    assert record["cost_usd"] <= quoted_usd
