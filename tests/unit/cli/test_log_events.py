"""What is asked of CloudWatch, and what is made of its answers."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from bursar.cli.failures import NOT_ALLOWED, NOT_FOUND, Failed
from bursar.cli.log_events import LogEvent, StackLogs, WantedEvents
from bursar.cli.log_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS = {"proxy": "g-proxy", "admin": "g-admin"}
WANTED = WantedEvents(since_ms=1_000, level="warning")


class _Session:
    """boto3's, with clients whose answers are prepared."""

    def __init__(self) -> None:
        self.clients = {
            service: boto3.client(
                service,
                region_name="eu-central-1",
                aws_access_key_id="a",
                aws_secret_access_key="b",
            )
            for service in ("logs", "cloudformation")
        }

    def client(self, service: str) -> Any:
        return self.clients[service]


@pytest.fixture
def session() -> _Session:
    return _Session()


@pytest.fixture
def logs(session: _Session) -> Iterator[Stubber]:
    with Stubber(session.client("logs")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def of(session: _Session) -> StackLogs:
    connection: Any = SimpleNamespace(stack="bursar-test", session=session)
    return StackLogs(connection)


def event(number: int, at_ms: int, level: str = "ERROR") -> dict[str, Any]:
    message = json.dumps({"level": level, "message": f"line {number}"})
    return {"eventId": str(number), "timestamp": at_ms, "message": message}


def asked(group: str, **more: object) -> dict[str, object]:
    return {
        "logGroupName": group,
        "startTime": 1_000,
        "filterPattern": WANTED.pattern,
        **more,
    }


def test_pages_of_several_groups_are_one_list_by_time(session: _Session, logs: Stubber) -> None:
    first = {"events": [event(1, 10), event(3, 30)], "nextToken": "more"}
    logs.add_response("filter_log_events", first, asked("g-proxy"))
    logs.add_response(
        "filter_log_events", {"events": [event(2, 20), event(5, 50)]}, asked("g-admin")
    )
    rest = {"events": [event(4, 40), event(6, 60, "INFO")]}
    logs.add_response("filter_log_events", rest, asked("g-proxy", nextToken="more"))

    found = list(of(session).read(GROUPS, WANTED))

    assert [(each.at_ms, each.function) for each in found] == [
        *((10, "proxy"), (20, "admin"), (30, "proxy"), (40, "proxy"), (50, "admin")),
    ]


def test_following_asks_again_from_a_little_before_the_newest(session: _Session) -> None:
    asked_from: list[int] = []
    polls = [
        [event(1, 50_000)],
        [event(1, 50_000), event(2, 45_000), event(3, 90_000)],
        [event(3, 90_000)],
    ]

    class _Pages:
        def paginate(self, **request: Any) -> Any:
            asked_from.append(request["startTime"])
            return [{"events": polls[len(asked_from) - 1]}]

    session.clients["logs"] = SimpleNamespace(get_paginator=lambda _: _Pages())

    def sleep(_: float) -> None:
        if len(asked_from) == len(polls):
            raise KeyboardInterrupt

    followed = of(session).follow({"proxy": "g"}, WANTED, sleep)
    seen = [next(followed).event_id for _ in range(3)]
    with pytest.raises(KeyboardInterrupt):
        next(followed)

    assert seen == ["1", "2", "3"]
    assert asked_from == [1_000, 20_000, 60_000]


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("AccessDeniedException", NOT_ALLOWED), ("ResourceNotFoundException", NOT_FOUND)],
)
def test_what_aws_refuses_is_said_with_the_permission_that_it_takes(
    session: _Session, logs: Stubber, code: str, exit_code: int
) -> None:
    logs.add_client_error("filter_log_events", code, http_status_code=400)

    with pytest.raises(Failed) as refused:
        list(of(session).read({"proxy": "g-proxy"}, WANTED))

    assert refused.value.exit_code == exit_code
    assert "logs:FilterLogEvents" in refused.value.message or exit_code == NOT_FOUND


def test_the_pattern_has_every_name_of_the_levels() -> None:
    assert WANTED.pattern == (
        '{ $.level = "CRITICAL" || $.level = "ERROR" || $.level = "FATAL" || $.level = "WARN" || '
        '$.level = "WARNING" }'
    )


def test_a_requests_id_is_looked_for_as_ours_and_as_awss() -> None:
    pattern = WantedEvents(0, "critical", "019b7c5e-6f00").pattern

    assert '$.request_id = "019b7c5e-6f00"' in pattern
    assert '$.aws_request_id = "019b7c5e-6f00"' in pattern
    for id_ in ("", '"', "a b", "a" * 65):
        with pytest.raises(Failed):
            _ = WantedEvents(0, "info", id_).pattern


def test_a_line_says_nothing_that_a_terminal_would_obey() -> None:
    fields = {"level": "INFO", "message": "a\x1b[2Jb\nc", "name": "\x9b31m", "exception": "x\x07"}

    text = line_of(LogEvent("1", "proxy", 0, fields), is_coloured=False)

    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert text.count("\n") == 1
