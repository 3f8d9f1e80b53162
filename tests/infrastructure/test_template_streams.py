"""Every route of the data plane streams, as far as API Gateway is told by SAM."""

from __future__ import annotations

from typing import Any

from tests.infrastructure import sam
from tests.infrastructure.template import properties

STREAMS = "/response-streaming-invocations"


def integrations() -> dict[tuple[str, str], dict[str, Any]]:
    paths = sam.transformed_resources()["Api"]["Properties"]["Body"]["paths"]
    return {
        (path, method): route["x-amazon-apigateway-integration"]
        for path, methods in paths.items()
        for method, route in methods.items()
    }


def test_every_route_of_the_data_plane_streams_for_a_quarter_of_an_hour() -> None:
    of_the_proxy = {
        route: it for route, it in integrations().items() if "ProxyFunction" in repr(it["uri"])
    }
    assert ("/v1/chat/completions", "post") in of_the_proxy
    for it in of_the_proxy.values():
        assert it["responseTransferMode"] == "STREAM"
        assert it["timeoutInMillis"] == 900_000
        assert STREAMS in repr(it["uri"])
        assert "${ProxyFunctionAliaslive}" in repr(it["uri"])


def test_no_route_of_the_control_plane_streams() -> None:
    of_the_admin = [it for it in integrations().values() if "AdminFunction" in repr(it["uri"])]
    assert of_the_admin
    for it in of_the_admin:
        assert "responseTransferMode" not in it
        assert STREAMS not in repr(it["uri"])


def test_the_mode_is_spelled_out_because_sam_compares_before_it_resolves() -> None:
    for event in properties("ProxyFunction")["Events"].values():
        assert event["Properties"]["ResponseTransferMode"] == "RESPONSE_STREAM"


def test_the_api_waits_no_longer_than_the_function_and_the_gateway_less_than_both() -> None:
    proxy = properties("ProxyFunction")
    waits = {it["Properties"]["TimeoutInMillis"] for it in proxy["Events"].values()}
    assert waits == {proxy["Timeout"] * 1000}
    deadline_s = float(proxy["Environment"]["Variables"]["BURSAR_REQUEST_TIMEOUT_S"])
    assert deadline_s < proxy["Timeout"]


def test_silence_is_allowed_for_five_minutes_not_thirty_seconds() -> None:
    """A regional API lets a stream be idle for 5 minutes, an edge-optimised one for 30 s."""
    resources = sam.transformed_resources()
    assert resources["Api"]["Properties"]["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
