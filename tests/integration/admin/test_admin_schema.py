"""The OpenAPI document tells the truth: generated requests are answered as it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openapi_spec_validator
import pytest
import schemathesis
from hypothesis import settings

from functions.admin.app import create_app
from tests.fakes.office import MASTER_KEY, Office

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    office = Office()
    return create_app(office.services, office.platform)


# People and projects present tokens of their own: tests/integration/platform asks those routes.
# No generator writes protobuf, which traces are.
schema = schemathesis.openapi.from_asgi("/openapi.json", _app(), config=_CONFIG).exclude(
    path_regex="^(/api/v1/|/v1/traces)"
)


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True)
def test_answers_are_as_documented(case: Case[Any]) -> None:
    case.call_and_validate()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return _app().openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    openapi_spec_validator.validate(document)
    assert document["info"]["title"] == "Bursar"


def test_every_operation_says_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["description"], name
        assert operation["tags"], name
        if operation.get("security"):
            assert {"401", "422", "503"} <= operation["responses"].keys(), name
        if "{" in name:
            assert "404" in operation["responses"], name


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    for name, schema_of in document["components"]["schemas"].items():
        is_request = name.endswith(("Create", "Patch", "Rotate"))
        is_record = name in {"KeyAnswer", "UserAnswer", "BudgetAnswer", "PriceAnswer"}
        if is_request or is_record:
            assert schema_of["examples"], name


def test_amounts_in_answers_are_documented_as_numbers(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["UserAnswer"]["properties"]["spend"]["type"] == "number"
    assert schemas["PriceAnswer"]["properties"]["input_price_per_million"]["type"] == "number"


def test_operations_have_the_names_of_their_functions(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert "create_key" in names
