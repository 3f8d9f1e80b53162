"""The cost page is what its script computes, and the script computes what the code does."""

from __future__ import annotations

import re
from contextvars import copy_context
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.events import Closed, Swept, TurnedAway
from bursar.telemetry.emf import Metrics
from infra import cost
from tests.infrastructure.template import properties
from tests.unit.telemetry.test_emf import RECORD, line_of, metrics_of

if TYPE_CHECKING:
    from bursar.domain.events import Event


def test_the_page_is_fresh() -> None:
    assert cost.PAGE.read_text(encoding="utf-8") == cost.document(), "run python infra/cost.py"


def test_a_million_requests_cost_what_their_parts_do() -> None:
    parts = cost.request_usd(10, 256, cost.REST_API)
    assert parts["duration"] == Decimal("33.33350000")  # 2.5 million GB-seconds
    assert parts["writes"] == Decimal("1.875")
    url = cost.request_usd(10, 256, cost.FUNCTION_URL)
    assert cost.total_usd(parts) - cost.total_usd(url) == Decimal("3.50")


@pytest.mark.parametrize("seconds", cost.SECONDS)
def test_twice_the_memory_is_twice_the_duration(seconds: int) -> None:
    small, large = (cost.request_usd(seconds, it, cost.REST_API) for it in (128, 256))
    assert large["duration"] == 2 * small["duration"]


def test_at_the_break_even_both_cost_the_same() -> None:
    requests = cost.break_even_requests(10, 256, cost.REST_API)
    served = cost.total_usd(cost.request_usd(10, 256, cost.REST_API)) * requests / cost.MILLION
    functions = served + cost.total_usd(cost.idle_usd())
    assert abs(functions - cost.total_usd(cost.container_usd())) < Decimal("0.01")
    streams_at_once = requests * 10 / cost.SECONDS_A_MONTH
    assert streams_at_once < cost.container_streams()


def test_a_metric_line_is_no_longer_than_it_is_paid_for() -> None:
    assert len(line_of(Closed(RECORD))) <= cost.METRIC_LINE_BYTES


def test_the_metrics_that_are_paid_for_are_those_of_the_schedule_while_nobody_asks() -> None:
    lines: list[str] = []
    metrics = Metrics("stack", write=lines.append)
    copy_context().run(metrics.invoked, "a-run")
    metrics.observe(Swept(0, 0, 0))
    assert sum(len(metrics_of(line)) for line in lines) == cost.IDLE_METRICS


def test_the_alarms_that_are_paid_for_are_the_stacks() -> None:
    stack = (cost.PAGE.parent / "observability.yaml").read_text()
    assert stack.count("Type: AWS::CloudWatch::Alarm") == cost.ALARMS
    assert stack.count("Type: AWS::CloudWatch::Dashboard") == cost.DASHBOARDS


def test_the_stack_watches_metrics_that_the_functions_write() -> None:
    stack = (cost.PAGE.parent / "observability.yaml").read_text()
    named = set(re.findall(r"Namespace: Bursar\s+MetricName: (\w+)", stack))
    assert {"BudgetRefusals"} <= named <= _written()


def _written() -> set[str]:
    events: list[Event] = [
        Closed(RECORD, "upstream_5xx"),
        TurnedAway("an-id", "budget_exceeded"),
        Swept(0, 0, 0),
    ]
    return {name.partition(",")[0] for event in events for name in metrics_of(line_of(event))}


def test_the_memory_that_is_paid_for_is_the_templates() -> None:
    configured = tuple(properties(it)["MemorySize"] for it in ("ProxyFunction", "AdminFunction"))
    assert configured == cost.SNAPSHOTS_MB
    assert properties("BudgetResetFunction")["MemorySize"] == cost.SCHEDULE_MB
