"""Metrics as lines of CloudWatch's embedded metric format, which Lambda needs no call to send.

A line is a JSON object that is written to standard output; its `_aws` member says which of its
other members are metrics and by which of them they are counted:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

Each combination of a metric's name and its dimensions' values is paid for by the month, so there
are three dimensions of few values. A request's id and model are members without being dimensions:
they can be searched for in the logs.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.domain.events import Closed, Swept, TurnedAway
from bursar.telemetry.context import bind, bound
from bursar.telemetry.logs import service_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.domain.events import Event

NAMESPACE_VARIABLE = "POWERTOOLS_METRICS_NAMESPACE"
NAMESPACE = "Bursar"
NO_PROVIDER = "none"
_COUNT, _MILLISECONDS, _NONE = "Count", "Milliseconds", "None"
_SERVICE = ("service",)
_PROVIDER = ("service", "provider")
_OUTCOME = ("service", "provider", "outcome")

_REFUSED_FOR_MONEY = "budget_exceeded"
_UPSTREAM = "upstream_"
_COLD_STARTS = {"ColdStarts": _COUNT}
_REQUESTS = {"Requests": _COUNT}
_SWEEPS = {"HoldsExpired": _COUNT, "HoldsRepaired": _COUNT, "PeriodsClosed": _COUNT}
_AMOUNTS = {
    "InputTokens": _COUNT,
    "OutputTokens": _COUNT,
    "CostUsd": _NONE,
    "FirstToken": _MILLISECONDS,
    "Duration": _MILLISECONDS,
}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Metrics:
    """Writes metrics.

    Args:
        service: the dimension that tells deployments apart.
        namespace: CloudWatch's.
        write: takes a line with its end.
        now_s: Unix time.
    """

    def __init__(
        self,
        service: str,
        namespace: str = NAMESPACE,
        *,
        write: Callable[[str], object] | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._namespace = namespace
        self._write = write or _to_standard_output
        self._now_s = now_s
        self._is_cold = True

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Metrics:
        """Read namespace and service from the variables that Powertools has for them."""
        return cls(service_name(environ), environ.get(NAMESPACE_VARIABLE) or NAMESPACE)

    def invoked(self, aws_request_id: str) -> None:
        """Begin an invocation: its id is on every log line, and a process' first is counted."""
        bind(aws_request_id=aws_request_id)
        if self._is_cold:
            self._is_cold = False
            self._line([(_SERVICE, _COLD_STARTS)], {"ColdStarts": 1})

    def observe(self, event: Event) -> None:
        """Write what happened."""
        match event:
            case Closed():
                self._closed(event)
            case TurnedAway():
                self._turned_away(event)
            case Swept():
                self._swept(event)

    def _closed(self, event: Closed) -> None:
        record = event.record
        amounts = {
            "InputTokens": record.usage.input_tokens if record.usage else None,
            "OutputTokens": record.usage.output_tokens if record.usage else None,
            "CostUsd": record.cost_usd,
            "FirstToken": record.first_token_ms,
            "Duration": record.duration_ms,
        }
        known = {name: value for name, value in amounts.items() if value is not None}
        units = {name: _AMOUNTS[name] for name in known}
        counts = _count("UpstreamErrors", when=(event.failure or "").startswith(_UPSTREAM))
        searchable = {}
        if event.failed_attempts:
            counts["FailedAttempts"] = len(event.failed_attempts)
            searchable = {"failed_attempts": event.failed_attempts, "alias": record.alias}
        self._line(
            [
                (_SERVICE, units | dict.fromkeys(counts, _COUNT)),
                (_PROVIDER, units),
                (_OUTCOME, _REQUESTS),
            ],
            {
                "provider": record.provider or NO_PROVIDER,
                "outcome": event.outcome,
                "request_id": record.request_id,
                "model": record.model,
                "Requests": 1,
                **counts,
                **known,
                **searchable,
            },
        )

    def _turned_away(self, event: TurnedAway) -> None:
        counts = _count("BudgetRefusals", when=event.code == _REFUSED_FOR_MONEY)
        self._line(
            [(_SERVICE, dict.fromkeys(counts, _COUNT)), (_OUTCOME, _REQUESTS)],
            {
                "provider": NO_PROVIDER,
                "outcome": event.code,
                "request_id": event.request_id,
                "Requests": 1,
                **counts,
            },
        )

    def _swept(self, event: Swept) -> None:
        values = {
            "HoldsExpired": event.holds_expired,
            "HoldsRepaired": event.holds_repaired,
            "PeriodsClosed": event.periods_closed,
        }
        self._line([(_SERVICE, _SWEEPS)], values)

    def _line(
        self,
        directives: list[tuple[tuple[str, ...], Mapping[str, str]]],
        members: Mapping[str, Any],
    ) -> None:
        declared = [
            {
                "Namespace": self._namespace,
                "Dimensions": [dimensions],
                "Metrics": [{"Name": name, "Unit": unit} for name, unit in metrics.items()],
            }
            for dimensions, metrics in directives
            if metrics
        ]
        header = {"Timestamp": int(self._now_s() * 1000), "CloudWatchMetrics": declared}
        line = {"_aws": header, "service": self._service, **bound(), **members}
        self._write(_ENCODER.encode(line).decode() + "\n")


def _count(name: str, *, when: bool) -> dict[str, int]:
    """One of a metric, or nothing: a sum of nothing is what CloudWatch treats as none."""
    return {name: 1} if when else {}


def _to_standard_output(line: str) -> None:
    # A line is far below the stream's buffer, so it leaves in one piece.
    sys.stdout.write(line)
    sys.stdout.flush()
