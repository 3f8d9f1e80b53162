"""The inference routes in the OpenAPI document, as the data plane serves them."""

from __future__ import annotations

import json
from typing import Any

import openapi_spec_validator
import pytest

from functions.admin.app import create_app
from functions.admin.settings import AdminSettings
from functions.proxy.app import routes_of
from functions.proxy.inbound import INBOUND
from tests.fakes.office import Office
from tests.fakes.world import World


@pytest.fixture
def document() -> dict[str, Any]:
    office = Office()
    settings = AdminSettings(describes_data_plane=True)
    return create_app(office.services, office.platform, settings).openapi()


def test_the_whole_document_is_valid_openapi(document: dict[str, Any]) -> None:
    openapi_spec_validator.validate(document)
    assert document["tags"][0]["name"] == "inference"
    assert "/v1/keys" in document["paths"]


def test_every_route_of_the_data_plane_is_described_and_no_other(document: dict[str, Any]) -> None:
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation["tags"] == ["inference"]
    }
    served = {
        (method, route.path.replace(":path", ""))
        for route in routes_of(World().proxy_services())
        for method in (route.methods or set()) - {"HEAD"}
        if not route.path.startswith("/health")
    }
    assert described == served


def test_forms_and_audio_are_described_as_what_they_are(document: dict[str, Any]) -> None:
    content = {
        path: (operation["requestBody"]["content"], operation["responses"]["200"]["content"])
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if operation["tags"] == ["inference"] and "requestBody" in operation
    }
    forms = {path for path, (asked, _) in content.items() if "multipart/form-data" in asked}
    assert forms == {
        "/v1/images/edits",
        "/v1/audio/transcriptions",
        "/v1/audio/translations",
    }
    assert "audio/mpeg" in content["/v1/audio/speech"][1]
    assert "text/plain" in content["/v1/audio/transcriptions"][1]


def test_an_example_of_a_request_is_one_that_the_data_plane_reads(
    document: dict[str, Any],
) -> None:
    for path, inbound in INBOUND.items():
        asked = document["paths"][path]["post"]["requestBody"]["content"]
        example = asked.get("application/json", {}).get("example")
        if example is not None:
            inbound.parse(json.dumps(example).encode(), "application/json")


def test_every_error_of_a_dialect_is_in_its_own_shape(document: dict[str, Any]) -> None:
    for path in INBOUND:
        answers = document["paths"][path]["post"]["responses"]
        kind = "Messages" if path == "/v1/messages" else "Inference"
        refused = [it["$ref"] for status, it in answers.items() if status != "200"]
        assert all(it.startswith(f"#/components/responses/{kind}") for it in refused)


def test_a_document_of_the_control_plane_alone_leaves_them_out() -> None:
    office = Office()
    paths = create_app(office.services, office.platform).openapi()["paths"]
    assert "/v1/chat/completions" not in paths
