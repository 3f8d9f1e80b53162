"""Lambda's events as ASGI requests."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from functions.proxy.on_lambda.events import LambdaRequest, request_of

_EVENTS = Path(__file__).parents[3] / "events"
_HTTP = sorted(path.stem for path in _EVENTS.glob("*.json") if path.stem != "schedule")


def golden(name: str) -> Any:
    return json.loads((_EVENTS / f"{name}.json").read_text())


def read(event: object) -> LambdaRequest:
    request = request_of(event)
    assert request is not None
    return request


def headers_of(request: LambdaRequest) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode()) for name, value in request.scope["headers"]]


@pytest.mark.parametrize("name", _HTTP)
def test_every_event_is_a_request_over_tls_from_its_client(name: str) -> None:
    scope = read(golden(name)).scope
    assert (scope["type"], scope["scheme"], scope["root_path"]) == ("http", "https", "")
    assert scope["client"] == ("203.0.113.7", 0)
    assert scope["server"] == (dict(headers_of(read(golden(name))))["host"], 443)
    assert scope["path"].startswith("/v1/")
    assert all(header == header.lower() for header, _ in headers_of(read(golden(name))))


def test_the_stage_is_not_in_the_path_of_a_rest_api_even_if_a_route_begins_like_it() -> None:
    event = golden("rest-models")
    event["requestContext"]["stage"] = "v1"
    assert read(event).scope["path"] == "/v1/models"


@pytest.mark.parametrize("base", ["", "/llm", "/a/b"])
def test_what_a_custom_domain_puts_before_the_api_is_taken_away(base: str) -> None:
    event = golden("rest-model")
    event["path"] = f"{base}/v1/models/openrouter%3Ameta/llama"
    assert read(event).scope["path"] == "/v1/models/openrouter:meta/llama"


def test_a_path_under_a_greedy_resource_is_kept_as_it_is() -> None:
    event = golden("rest-chat") | {"resource": "/{proxy+}", "path": "/v1/x/v1"}
    assert read(event).scope["path"] == "/v1/x/v1"


def test_an_http_apis_stage_is_taken_from_its_path_and_a_function_url_has_none() -> None:
    event = golden("url-chat-stream")
    assert read(event).scope["path"] == "/v1/chat/completions"
    event["requestContext"]["stage"] = "prod"
    event["rawPath"] = "/prod/v1/models"
    assert read(event).scope["path"] == "/v1/models"
    event["rawPath"] = "/production/v1/models"
    assert read(event).scope["path"] == "/production/v1/models"


def test_repeated_headers_and_parameters_arrive_one_by_one() -> None:
    event = golden("rest-models")
    event["multiValueHeaders"] = {"Accept": ["a", "b"], "X-One": ["ü"]}
    event["multiValueQueryStringParameters"] = {"q": ["1 2", "&"], "r": [""]}
    request = read(event)
    assert headers_of(request) == [("accept", "a"), ("accept", "b"), ("x-one", "ü")]
    assert request.scope["query_string"] == b"q=1+2&q=%26&r="


def test_single_headers_and_parameters_serve_where_there_are_no_repeated_ones() -> None:
    event = golden("rest-models")
    event |= {"multiValueHeaders": None, "headers": {"Accept": "a"}}
    event |= {"multiValueQueryStringParameters": None, "queryStringParameters": {"q": "1"}}
    request = read(event)
    assert headers_of(request) == [("accept", "a")]
    assert request.scope["query_string"] == b"q=1"


def test_a_function_urls_cookies_are_one_header_and_its_query_is_kept_as_written() -> None:
    event = golden("url-chat-stream") | {"rawQueryString": "a=1&a=2%20"}
    request = read(event)
    assert ("cookie", "session=abc; theme=dark") in headers_of(request)
    assert request.scope["query_string"] == b"a=1&a=2%20"


def test_a_body_in_base64_is_the_bytes_it_stands_for() -> None:
    assert "Grüß Gott" in json.loads(read(golden("url-chat-stream")).body)["messages"][0]["content"]
    binary = golden("rest-chat") | {
        "body": base64.b64encode(b"\x00\xff").decode(),
        "isBase64Encoded": True,
    }
    assert read(binary).body == b"\x00\xff"


def test_a_console_test_with_nulls_for_everything_is_a_request() -> None:
    event = golden("rest-chat") | {
        "headers": None,
        "multiValueHeaders": None,
        "body": None,
        "requestContext": {},
    }
    request = read(event)
    assert (request.body, request.scope["headers"]) == (b"", [])
    assert (request.scope["client"], request.scope["server"]) == (None, None)


@pytest.mark.parametrize(
    "event",
    [None, "x", [], {}, {"requestContext": None}, {"requestContext": {}}, golden("schedule")],
)
def test_what_is_no_http_request_is_none(event: object) -> None:
    assert request_of(event) is None
