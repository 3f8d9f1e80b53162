"""Metric lines, byte for byte, and what must never be in one."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.domain.events import Closed, Swept, TurnedAway
from bursar.domain.usage import Status, TokenUsage, UsageRecord
from bursar.telemetry.emf import Metrics

if TYPE_CHECKING:
    import pytest

    from bursar.domain.events import Event

NOW_S = 1_795_000_000.123
REQUEST_ID = "019aab3c-5f00-7000-8000-000000000001"
RECORD = UsageRecord(
    request_id=REQUEST_ID,
    user_id="canary-user",
    created_at=datetime(2026, 11, 22, tzinfo=UTC),
    endpoint="/v1/chat/completions",
    status=Status.SUCCESS,
    key_id="canary-key",
    provider="openai",
    model="gpt-test",
    usage=TokenUsage(100, 20),
    cost_usd=Decimal("0.000140000001"),
    is_streamed=True,
    error_message="canary-message",
    duration_ms=2_000,
    first_token_ms=350,
    upstream_request_id="canary-upstream",
)
FAILED = UsageRecord(
    request_id=REQUEST_ID,
    user_id="canary-user",
    created_at=datetime(2026, 11, 22, tzinfo=UTC),
    endpoint="/v1/chat/completions",
    status=Status.ERROR,
    provider="openai",
    model="gpt-test",
    cost_usd=Decimal(0),
    duration_ms=30,
)
HEAD = '{"_aws":{"Timestamp":1795000000123,"CloudWatchMetrics":['
AMOUNTS = (
    '{"Name":"InputTokens","Unit":"Count"},{"Name":"OutputTokens","Unit":"Count"},'
    '{"Name":"CostUsd","Unit":"None"},{"Name":"FirstToken","Unit":"Milliseconds"},'
    '{"Name":"Duration","Unit":"Milliseconds"}'
)
REQUESTS = (
    '{"Namespace":"Bursar","Dimensions":[["service","provider","outcome"]],'
    '"Metrics":[{"Name":"Requests","Unit":"Count"}]}'
)


def line_of(event: Event) -> str:
    lines: list[str] = []
    Metrics("stack", write=lines.append, now_s=lambda: NOW_S).observe(event)
    (line,) = lines
    return line


def test_attempts_that_failed_before_one_succeeded_are_counted_and_can_be_searched_for() -> None:
    failed = ("groq:llama upstream_429", "groq:llama upstream_5xx")
    line = line_of(Closed(replace(RECORD, alias="fast"), failed_attempts=failed))
    assert metrics_of(line)["FailedAttempts,stack"] == 2
    decoded = msgspec.json.decode(line)
    assert (decoded["failed_attempts"], decoded["alias"]) == (list(failed), "fast")
    assert "UpstreamErrors" not in decoded
    assert "FailedAttempts" not in line_of(Closed(RECORD))


def metrics_of(line: str) -> dict[str, Any]:
    """Each metric's name with its dimensions' values, as CloudWatch reads the line."""
    decoded = msgspec.json.decode(line)
    return {
        ",".join((metric["Name"], *(decoded[name] for name in dimensions))): decoded[metric["Name"]]
        for directive in decoded["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]
        for metric in directive["Metrics"]
    }


def test_a_streamed_answers_line_is_this() -> None:
    assert line_of(Closed(RECORD)) == (
        HEAD
        + '{"Namespace":"Bursar","Dimensions":[["service"]],"Metrics":['
        + AMOUNTS
        + ']},{"Namespace":"Bursar","Dimensions":[["service","provider"]],"Metrics":['
        + AMOUNTS
        + "]},"
        + REQUESTS
        + ']},"service":"stack","provider":"openai","outcome":"success",'
        f'"request_id":"{REQUEST_ID}","model":"gpt-test","Requests":1,"InputTokens":100,'
        '"OutputTokens":20,"CostUsd":0.000140000001,"FirstToken":350,"Duration":2000}\n'
    )


def test_a_budgets_refusal_is_this() -> None:
    assert line_of(TurnedAway(REQUEST_ID, "budget_exceeded")) == (
        HEAD
        + '{"Namespace":"Bursar","Dimensions":[["service"]],'
        + '"Metrics":[{"Name":"BudgetRefusals","Unit":"Count"}]},'
        + REQUESTS
        + ']},"service":"stack","provider":"none","outcome":"budget_exceeded",'
        f'"request_id":"{REQUEST_ID}","Requests":1,"BudgetRefusals":1}}\n'
    )


def test_a_failing_provider_is_counted_as_such_and_by_its_class() -> None:
    assert metrics_of(line_of(Closed(FAILED, "upstream_429"))) == {
        "CostUsd,stack": 0,
        "CostUsd,stack,openai": 0,
        "Duration,stack": 30,
        "Duration,stack,openai": 30,
        "UpstreamErrors,stack": 1,
        "Requests,stack,openai,upstream_429": 1,
    }


def test_what_is_not_about_money_is_no_budgets_refusal() -> None:
    assert metrics_of(line_of(TurnedAway(REQUEST_ID, "invalid_api_key"))) == {
        "Requests,stack,none,invalid_api_key": 1
    }


def test_a_sweep_is_counted_even_if_it_found_nothing() -> None:
    assert metrics_of(line_of(Swept(3, 2, 0))) == {
        "HoldsExpired,stack": 3,
        "HoldsRepaired,stack": 2,
        "PeriodsClosed,stack": 0,
    }


def test_only_the_first_invocation_of_a_process_is_a_cold_start() -> None:
    lines: list[str] = []
    metrics = Metrics("stack", write=lines.append, now_s=lambda: NOW_S)
    apart = copy_context()
    apart.run(metrics.invoked, "one")
    apart.run(metrics.invoked, "two")
    assert [metrics_of(line) for line in lines] == [{"ColdStarts,stack": 1}]


def test_no_key_no_user_and_no_text_of_an_error_is_in_any_line() -> None:
    events: list[Event] = [
        Closed(RECORD),
        Closed(FAILED, "upstream_5xx"),
        TurnedAway(REQUEST_ID, "forbidden"),
    ]
    assert not [line for line in map(line_of, events) if "canary" in line]


def test_lines_have_no_dimension_of_many_values() -> None:
    events: list[Event] = [
        Closed(RECORD, "upstream_5xx"),
        TurnedAway(REQUEST_ID, "x"),
        Swept(1, 1, 1),
    ]
    directives = chain.from_iterable(
        msgspec.json.decode(line_of(event))["_aws"]["CloudWatchMetrics"] for event in events
    )
    used = {name for one in directives for names in one["Dimensions"] for name in names}
    assert used == {"service", "provider", "outcome"}


def test_namespace_and_service_are_what_the_environment_says() -> None:
    environ = {"POWERTOOLS_METRICS_NAMESPACE": "Mine", "POWERTOOLS_SERVICE_NAME": "my-stack"}
    named = Metrics.of(environ)
    assert (named._namespace, named._service) == ("Mine", "my-stack")
    unnamed = Metrics.of({})
    assert (unnamed._namespace, unnamed._service) == ("Bursar", "bursar")


def test_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    Metrics("stack").observe(Swept(0, 0, 0))
    assert capsys.readouterr().out.endswith('"PeriodsClosed":0}\n')
