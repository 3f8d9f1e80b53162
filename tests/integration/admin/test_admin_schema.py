"""The OpenAPI document tells the truth: generated requests are answered as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import settings

from functions.admin.app import create_app
from tests.fakes.office import MASTER_KEY, Office

if TYPE_CHECKING:
    from fastapi import FastAPI
    from schemathesis import Case

_CONFIG = schemathesis.Config.from_dict(
    {
        "auth": {"openapi": {"Authorization": {"bearer": MASTER_KEY}}},
        # Some rules have no JSON Schema: a time zone exists, a cursor came from a page.
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "409", "422"]}
        },
    }
)


def _app() -> FastAPI:
    return create_app(Office().services)


schema = schemathesis.openapi.from_asgi("/openapi.json", _app(), config=_CONFIG)


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True)
def test_answers_are_as_documented(case: Case[Any]) -> None:
    case.call_and_validate()
