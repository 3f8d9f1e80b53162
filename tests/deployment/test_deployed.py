"""The deployed stack does its work: through API Gateway, with its roles' permissions alone."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from bursar import bootstrap
from bursar.domain.budgets import AccountKey
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from bursar.domain.periods import Period
from bursar.store.connect import connect
from tests.deployment.deployed import PROVIDER_KEY, Deployed
from tests.deployment.stack import MASTER_KEY
from tests.infrastructure.template import FUNCTIONS

if TYPE_CHECKING:
    from tests.deployment.stack import Stack

# A first deployment on a busy machine, and a schedule that comes by every minute.
SCHEDULE_TIMEOUT_S = 150
HOLD_USD = Decimal("0.25")


def holder(stack: Stack, budget_usd: str = "1", **fields: Any) -> tuple[str, str, str]:
    """A user of a priced model with a budget; the ids of both, and the user's key."""
    price = {"model_key": "openai:fake", "input_price_per_million": 1}
    stack.json("POST", "/v1/pricing", {**price, "output_price_per_million": 2})
    budget = {"max_budget": budget_usd, "budget_duration_sec": 3600}
    budget_id = stack.json("POST", "/v1/budgets", budget)["budget_id"]
    user_id = f"user-{uuid.uuid4().hex[:12]}"
    stack.json("POST", "/v1/users", {"user_id": user_id, "budget_id": budget_id, **fields})
    return user_id, budget_id, stack.json("POST", "/v1/keys", {"user_id": user_id})["key"]


def completion(**more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "How are you?"}]
    return {"model": "openai:fake", "messages": messages, "max_tokens": 5, **more}


def test_everything_the_template_describes_is_there(bursar: Deployed) -> None:
    assert bursar.stack.status == "CREATE_COMPLETE"
    for function in FUNCTIONS:
        assert f"{function}Role" in bursar.stack.resources
        assert f"{function}Aliaslive" in bursar.stack.resources


def test_anybody_may_ask_for_its_health_and_the_administrator_for_the_stores(
    bursar: Deployed,
) -> None:
    assert bursar.stack.json("GET", "/health", key="nobody's")["status"] == "healthy"
    assert bursar.stack.json("GET", "/health/readiness")["database"] == "connected"
    assert "<h1>Bursar</h1>" in bursar.stack.ask("GET", "/").text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/models"), ("POST", "/v1/chat/completions"), ("GET", "/v1/users")],
)
@pytest.mark.parametrize("key", ["gw-not-one-of-ours", "made-up"])
def test_a_key_that_is_not_known_is_refused(
    bursar: Deployed, method: str, path: str, key: str
) -> None:
    answer = bursar.stack.ask(method, path, completion() if method == "POST" else None, key=key)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_a_completion_reaches_the_provider_with_its_key_and_is_in_the_books(
    bursar: Deployed,
) -> None:
    user_id, _, key = holder(bursar.stack)

    answer = bursar.stack.ask("POST", "/v1/chat/completions", completion(), key=key)

    assert answer.status_code == 200, answer.text
    usage = answer.json()["usage"]
    cost = Decimal(usage["prompt_tokens"] + 2 * usage["completion_tokens"]) / 1_000_000
    assert Decimal(answer.headers["x-bursar-cost-usd"]) == cost
    assert bursar.upstream.last.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    (row,) = bursar.stack.json("GET", f"/v1/usage?user_id={user_id}")["data"]
    assert (row["id"], Decimal(str(row["cost"]))) == (answer.headers["x-request-id"], cost)
    assert Decimal(str(bursar.stack.json("GET", f"/v1/users/{user_id}")["spend"])) == cost


def test_a_stream_arrives_whole(bursar: Deployed) -> None:
    _, _, key = holder(bursar.stack)
    answer = bursar.stack.ask("POST", "/v1/chat/completions", completion(stream=True), key=key)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("data: [DONE]\n\n")


def test_a_budget_that_is_spent_refuses(bursar: Deployed) -> None:
    user_id, _, key = holder(bursar.stack, budget_usd="0.00000001")
    answer = bursar.stack.ask("POST", "/v1/chat/completions", completion(), key=key)
    assert answer.status_code == 403, answer.text
    assert answer.json()["error"]["code"] == "budget_exceeded"
    assert bursar.stack.json("GET", f"/v1/users/{user_id}")["spend"] == 0


def test_the_models_of_a_key_are_listed_and_found_by_name(bursar: Deployed) -> None:
    _, _, key = holder(bursar.stack)
    listed = bursar.stack.json("GET", "/v1/models", key=key)["data"]
    assert "openai:fake" in {model["id"] for model in listed}
    found = bursar.stack.json("GET", "/v1/models/openai:fake", key=key)
    assert found["id"] == "openai:fake"


def test_the_control_plane_gets_every_verb_and_a_path_of_any_depth(bursar: Deployed) -> None:
    user_id, budget_id, _ = holder(bursar.stack)
    bursar.stack.json("PATCH", f"/v1/users/{user_id}", {"alias": "changed"})
    assert bursar.stack.json("GET", f"/v1/users/{user_id}")["alias"] == "changed"
    assert bursar.stack.json("GET", f"/v1/budgets/{budget_id}/resets")["data"] == []
    assert bursar.stack.ask("DELETE", f"/v1/users/{user_id}").status_code == 204
    assert bursar.stack.ask("GET", f"/v1/users/{user_id}").status_code == 404


@pytest.mark.parametrize(
    ("function", "refused"),
    [
        ("ProxyFunction", ("delete_item", "scan")),
        ("AdminFunction", ("scan",)),
        ("BudgetResetFunction", ("delete_item", "scan")),
    ],
)
def test_a_functions_role_does_no_more_than_it_needs(
    bursar: Deployed, function: str, refused: tuple[str, ...]
) -> None:
    role = bursar.aws.client("iam").get_role(RoleName=bursar.stack.resources[f"{function}Role"])
    assumed = bursar.aws.client("sts").assume_role(
        RoleArn=role["Role"]["Arn"], RoleSessionName="a-test"
    )
    table = bursar.aws.client("dynamodb", assumed["Credentials"])
    name = {"TableName": bursar.stack.outputs["TableName"]}
    key = {"Key": {"pk": {"S": "nobody"}, "sk": {"S": "nothing"}}}

    assert "Item" not in table.get_item(**name, **key)
    for operation in refused:
        with pytest.raises(ClientError) as failure:
            getattr(table, operation)(**name, **({} if operation == "scan" else key))
        assert failure.value.response["Error"]["Code"] == "AccessDeniedException"


def test_no_secret_is_in_a_functions_configuration_or_in_its_logs(bursar: Deployed) -> None:
    _, _, key = holder(bursar.stack)
    bursar.stack.ask("POST", "/v1/chat/completions", completion(), key=key)
    functions, logs = bursar.aws.client("lambda"), bursar.aws.client("logs")
    seen = json.dumps(
        [
            functions.get_function_configuration(FunctionName=bursar.stack.resources[it])
            for it in FUNCTIONS
        ],
        default=str,
    )
    for group in logs.describe_log_groups()["logGroups"]:
        events = logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        seen += "".join(event["message"] for event in events)
    assert "BURSAR_MASTER_KEY_DIGEST" in seen
    assert not {secret for secret in (PROVIDER_KEY, MASTER_KEY, key) if secret in seen}


def test_the_schedule_closes_a_period_that_is_over_and_charges_what_was_left_open(
    bursar: Deployed,
) -> None:
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    user_id, budget_id, _ = holder(bursar.stack, budget_started_at=began.isoformat())
    hold = asyncio.run(_leave_open(bursar, user_id, began))

    deadline = time.monotonic() + SCHEDULE_TIMEOUT_S
    while (
        not (resets := bursar.stack.json("GET", f"/v1/budgets/{budget_id}/resets")["data"])
        and time.monotonic() < deadline
    ):
        time.sleep(1)

    assert [(it["user_id"], it["previous_spend"]) for it in resets] == [(user_id, float(HOLD_USD))]
    (row,) = bursar.stack.json("GET", f"/v1/usage?user_id={user_id}")["data"]
    assert (row["id"], row["outcome"]) == (str(hold.hold_id), "expired")


async def _leave_open(bursar: Deployed, user_id: str, began: datetime) -> Hold:
    """What a request leaves behind whose function was killed, in a period of an hour."""
    call = connect({**bursar.aws.environ, "DYNAMODB_ENDPOINT": bursar.aws.url})
    try:
        storage = bootstrap.connect(call, bursar.stack.outputs["TableName"])
        account = AccountKey(f"user/{user_id}", Period(began, began + timedelta(hours=1)))
        hold = Hold(request_id(began), HOLD_USD, began + timedelta(minutes=15), user_id)
        assert await storage.ledger.reserve(account, hold, Decimal(1)) is None
        return hold
    finally:
        await call.close()
