"""Where errors are JSON, and what is in them."""

import json

import click
import pytest

from bursar.cli.endings import as_json, is_json
from bursar.cli.failures import Failed, RefusedByGateway


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("keys list", False),
        ("keys list -o json", True),
        ("keys list -ojsonl", True),
        ("-o=json", True),
        ("keys --output json list", True),
        ("keys list --output=json", True),
        ("keys list -o table", False),
        ("keys list -o", False),
        ("chat m -- -o json", False),
        ("keys list -o json -o csv", False),
    ],
)
def test_the_command_line_says_whether_errors_are_json(line: str, *, expected: bool) -> None:
    assert is_json(line.split(), {}) is expected


def test_the_command_line_comes_before_the_environment() -> None:
    assert is_json([], {"BURSAR_OUTPUT": "json"})
    assert not is_json(["-o", "table"], {"BURSAR_OUTPUT": "json"})


def test_an_error_of_the_gateway_has_its_request() -> None:
    told = json.loads(as_json(RefusedByGateway(404, "No such key", "req-1")))
    assert told == {
        "error": {
            "message": "No such key",
            "exit_code": 3,
            "status": 404,
            "request_id": "req-1",
        }
    }


def test_an_error_of_the_command_has_what_is_known() -> None:
    assert json.loads(as_json(Failed("no", 4))) == {"error": {"message": "no", "exit_code": 4}}
    assert json.loads(as_json(click.UsageError("how?")))["error"]["exit_code"] == 2
