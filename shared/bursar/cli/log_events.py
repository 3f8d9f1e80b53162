"""Events in CloudWatch's log groups of a stack, by time, over all its functions."""

from __future__ import annotations

import heapq
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.failures import NOT_ALLOWED, NOT_FOUND, WRONG_USAGE, Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bursar.cli.stack import StackConnection

FUNCTIONS: Final[Mapping[str, str]] = {
    "proxy": "ProxyLogGroup",
    "admin": "AdminLogGroup",
    "budget-reset": "BudgetResetLogGroup",
}
"""The stack's resources by what people call the functions."""

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
# Lambda's own lines have these names for the same.
_SYNONYMS: Final = {"WARN": "WARNING", "FATAL": "CRITICAL", "TRACE": "DEBUG"}
_PAUSE_S: Final = 2.0
# CloudWatch may show an event later than one that came after it.
_LATE_MS: Final = 30_000
_ID_FIELDS: Final = ("request_id", "aws_request_id", "requestId", "AWSRequestId")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A line of a log.

    Attributes:
        at_ms: Unix time in milliseconds.
        fields: the line's JSON; a line that is none is a `message`.
    """

    event_id: str
    function: str
    at_ms: int
    fields: Mapping[str, Any]

    @property
    def level(self) -> str:
        found = str(self.fields.get("level", "")).upper()
        return _SYNONYMS.get(found, found)

    @property
    def row(self) -> dict[str, Any]:
        """The line's fields with the function and a timestamp."""
        moment = datetime.fromtimestamp(self.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        timestamp = moment.replace("+00:00", "Z")
        return {"timestamp": timestamp, "function": self.function, **self.fields}


@dataclass(frozen=True, slots=True)
class WantedEvents:
    """Which events are wanted; metrics, which are lines without a level, never are.

    Attributes:
        level: this and everything above, in lower case.
        request_id: the gateway's or AWS's.
    """

    since_ms: int
    level: str = "info"
    request_id: str | None = None

    @property
    def levels(self) -> tuple[str, ...]:
        return tuple(level.upper() for level in LEVELS[LEVELS.index(self.level) :])

    @property
    def pattern(self) -> str:
        """The same for CloudWatch, which then sends nothing else.

        Raises:
            Failed: the request's id cannot be one.
        """
        names = {*self.levels, *(name for name, of in _SYNONYMS.items() if of in self.levels)}
        levels = " || ".join(f'$.level = "{name}"' for name in sorted(names))
        if self.request_id is None:
            return f"{{ {levels} }}"
        if not _REQUEST_ID.fullmatch(self.request_id):
            raise Failed("A request's id is what x-request-id says", WRONG_USAGE)
        ids = " || ".join(f'$.{name} = "{self.request_id}"' for name in _ID_FIELDS)
        return f"{{ ({levels}) && ({ids}) }}"

    def accepts(self, event: LogEvent) -> bool:
        """Decide over an event; lines that are no JSON pass where no request is asked for."""
        ids = {event.fields.get(name) for name in _ID_FIELDS}
        if self.request_id is not None and self.request_id not in ids:
            return False
        return event.level in self.levels or set(event.fields) == {"message"}


class StackLogs:
    """The logs of a stack's functions."""

    def __init__(self, connection: StackConnection) -> None:
        self._stack = connection.stack
        self._cloudformation = connection.session.client("cloudformation")
        self._logs = connection.session.client("logs")

    def groups(self, functions: Sequence[str]) -> dict[str, str]:
        """The functions' log groups.

        Raises:
            Failed: the stack has none, or the caller may not know.
        """
        return {function: self._group(function) for function in functions}

    def read(self, groups: Mapping[str, str], wanted: WantedEvents) -> Iterator[LogEvent]:
        """Every event that is there, oldest first.

        Raises:
            Failed: the caller may not read them.
        """
        read = [self._of_group(function, group, wanted) for function, group in groups.items()]
        return heapq.merge(*read, key=lambda event: event.at_ms)

    def follow(
        self,
        groups: Mapping[str, str],
        wanted: WantedEvents,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Iterator[LogEvent]:
        """As `read`, and then whatever comes, for ever; each event once."""
        seen: dict[str, int] = {}
        since_ms = wanted.since_ms
        while True:
            again = WantedEvents(since_ms, wanted.level, wanted.request_id)
            for event in self.read(groups, again):
                if event.event_id not in seen:
                    seen[event.event_id] = event.at_ms
                    yield event
            latest_ms = max(seen.values(), default=since_ms)
            since_ms = max(since_ms, latest_ms - _LATE_MS)
            seen = {event_id: at for event_id, at in seen.items() if at >= since_ms}
            sleep(_PAUSE_S)

    def _group(self, function: str) -> str:
        with _told("cloudformation:DescribeStackResource"):
            found = self._cloudformation.describe_stack_resource(
                StackName=self._stack, LogicalResourceId=FUNCTIONS[function]
            )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def _of_group(self, function: str, group: str, wanted: WantedEvents) -> Iterator[LogEvent]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=wanted.since_ms, filterPattern=wanted.pattern
        )
        with _told("logs:FilterLogEvents"):
            for page in pages:
                yield from filter(wanted.accepts, _events(function, page["events"]))


def _events(function: str, found: Iterable[Mapping[str, Any]]) -> Iterator[LogEvent]:
    for event in found:
        fields = _fields(event["message"])
        yield LogEvent(_id_of(event), function, int(event["timestamp"]), fields)


def _id_of(event: Mapping[str, Any]) -> str:
    """An event's own id, which the API's description lets be absent, or all that there is of it."""
    return str(
        event.get("eventId") or (event.get("logStreamName"), event["timestamp"], event["message"])
    )


def _fields(message: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(message)
    except ValueError:
        fields = None
    return fields if isinstance(fields, dict) else {"message": message.rstrip()}


@contextmanager
def _told(action: str) -> Iterator[None]:
    """Says what permission is missing where AWS refuses a call."""
    # A quarter of a second that only a stack costs.
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"ResourceNotFoundException", "ValidationError"}:
            raise Failed(
                "The stack has no such log group: was it deployed with this version?", NOT_FOUND
            ) from None
        raise Failed(f"AWS refuses ({code}): you need {action}", NOT_ALLOWED) from None
    except BotoCoreError as error:
        raise Failed(f"AWS cannot be asked: {error}", NOT_ALLOWED) from None
