"""The inference routes in the OpenAPI document, as the data plane serves them."""

from __future__ import annotations

from typing import Any

import openapi_spec_validator
import pytest

from functions.admin.app import create_app
from functions.admin.settings import AdminSettings
from functions.proxy.app import routes_of
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


def test_a_document_of_the_control_plane_alone_leaves_them_out() -> None:
    office = Office()
    paths = create_app(office.services, office.platform).openapi()["paths"]
    assert "/v1/chat/completions" not in paths
