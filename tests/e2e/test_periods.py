"""Budgets that begin anew: the next period needs nobody's help."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import httpx2

from tests.e2e.gateway_process import NO_TLS, until

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment, Holder

MODEL = "openai:exact-9"
QUOTE_USD = Decimal("0.00001")
PERIOD_S = 2


def _status(deployment: Deployment, holder: Holder) -> int:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "?"}], "max_tokens": 10}
    url = f"{deployment.gateway.url}/v1/chat/completions"
    answer = httpx2.post(url, json=body, headers=holder.headers, timeout=30, verify=NO_TLS)
    return answer.status_code


def test_a_spent_budget_serves_again_in_its_next_period(served: Deployment) -> None:
    served.price(MODEL, output="1")
    budget = served.budget(QUOTE_USD, budget_duration_sec=PERIOD_S)
    holder = served.holder(user={"budget_id": budget})
    assert until(lambda: _status(served, holder) == 403)
    assert until(lambda: _status(served, holder) == 200)
    assert served.books.cost_usd(holder.user_id) >= 2 * QUOTE_USD
    user = served.gateway.admin("GET", f"/v1/users/{holder.user_id}")
    assert user["spend"] in (0, float(QUOTE_USD))
    assert user["next_budget_reset_at"] > user["budget_started_at"]


def test_raising_a_budget_lets_its_holder_go_on_and_lowering_it_stops_them(
    served: Deployment,
) -> None:
    served.price(MODEL, output="1")
    budget = served.budget(QUOTE_USD)
    holder = served.holder(user={"budget_id": budget})
    assert [_status(served, holder) for _ in range(2)] == [200, 403]
    served.gateway.admin("PATCH", f"/v1/budgets/{budget}", {"max_budget": str(3 * QUOTE_USD)})
    assert until(lambda: _status(served, holder) == 200)
    served.gateway.admin("PATCH", f"/v1/budgets/{budget}", {"max_budget": 0})
    assert until(lambda: _status(served, holder) == 403)
    served.check_closed(holder)
    assert served.account(holder).committed_usd <= 3 * QUOTE_USD
