"""The control plane invoked by AWS identity, and that no HTTP caller can pass as such."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.integration.admin.test_admin_handler import event, invoke, table

__all__ = ["table"]


def command(method: str, path: str, body: object = None) -> dict[str, Any]:
    text = None if body is None else json.dumps(body)
    return {"bursar": {"method": method, "path": path, "body": text, "caller": "arn:aws:ada"}}


def without_a_key(**extra: Any) -> dict[str, Any]:
    """A request through the API that presents nothing."""
    made = event("GET", "/v1/keys") | extra
    made["headers"], made["multiValueHeaders"] = {}, {}
    return made


async def test_a_command_needs_no_master_key(dynoxide: str, table: str) -> None:
    user_id = f"direct-{uuid.uuid4().hex}"
    made, listed, refused, gone = invoke(
        dynoxide,
        table,
        command("POST", "/v1/users", {"user_id": user_id}),
        command("GET", f"/v1/users/{user_id}/usage?limit=1"),
        command("POST", "/v1/budgets", {"max_budget": -1}),
        command("GET", "/v1/budgets/none"),
    )
    assert json.loads(made["body"])["user_id"] == user_id
    assert json.loads(listed["body"]) == []
    assert (refused["statusCode"], gone["statusCode"]) == (422, 404)


@pytest.mark.parametrize(
    "extra",
    [
        {"bursar": {"method": "GET", "path": "/v1/keys"}},
        {"bursar.direct": True, "caller": "arn:aws:ada"},
        {"bursar.direct": {}, "bursar": {}},
    ],
    ids=["a command", "a mark", "both"],
)
async def test_what_comes_through_an_api_does_whatever_it_holds(
    dynoxide: str, table: str, extra: dict[str, Any]
) -> None:
    (answer,) = invoke(dynoxide, table, without_a_key(**extra))
    assert answer["statusCode"] == 401


async def test_a_command_that_makes_no_sense_is_answered_like_a_request_that_makes_none(
    dynoxide: str, table: str
) -> None:
    answers = invoke(
        dynoxide, table, {"bursar": {"path": 5, "body": {}}}, {"bursar": {"method": None}}
    )
    assert [answer["statusCode"] for answer in answers] == [404, 405]
