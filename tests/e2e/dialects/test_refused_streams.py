"""A stream whose first event is an error is none, whatever the dialects of its two sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.e2e.gateway_process import until

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment
    from tests.fakes.anthropic_upstream import FakeAnthropic
    from tests.fakes.openai_upstream import FakeOpenAI

MESSAGES = {"messages": [{"role": "user", "content": "Grüezi!"}], "max_tokens": 50, "stream": True}
INPUT = {"input": "Grüezi!", "max_output_tokens": 50, "stream": True}
BODIES: dict[str, dict[str, Any]] = {
    "chat/completions": MESSAGES,
    "messages": MESSAGES,
    "responses": INPUT,
}


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
@pytest.mark.parametrize("path", BODIES)
def test_it_is_a_bad_gateway_that_costs_nothing(
    served: Deployment,
    upstream: FakeOpenAI,
    anthropic_upstream: FakeAnthropic,
    provider: str,
    path: str,
) -> None:
    holder = served.holder("1")
    asked = upstream if provider == "openai" else anthropic_upstream
    before = len(asked.requests)
    model = served.model(provider, "errorevent-0")

    answer = httpx2.post(
        f"{served.gateway.url}/v1/{path}",
        json={"model": model, **BODIES[path]},
        headers=holder.headers,
        timeout=20,
    )

    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]["code"] == "upstream_error"
    assert len(asked.requests) == before + 2
    assert until(lambda: served.books.records(holder.user_id) != [])
    served.check_closed(holder)
    (record,) = served.books.records(holder.user_id)
    assert (record["status"], record["cost_usd"]) == ("error", 0)
