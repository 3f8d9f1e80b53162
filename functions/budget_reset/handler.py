"""The schedule as a Lambda function: expires holds and closes periods that are over."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from bursar import bootstrap
from bursar.domain.events import Swept
from bursar.settings import load_settings
from bursar.store.connect import connect
from bursar.telemetry.emf import Metrics
from bursar.telemetry.logs import configure_logs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.services.sweep import SweepReport

_LOG = logging.getLogger(__name__)
# What is left of the function's time when it stops on its own, between two pages.
_SPARE = timedelta(seconds=10)

_settings = load_settings(os.environ)
configure_logs(_settings.log_level, sys.stdout)
_metrics = Metrics.of(os.environ)


class Context(Protocol):
    """What is used of Lambda's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Sweep once. The schedule's event says nothing that is needed.

    A failure is raised, so that the schedule tries again; what was done is not done twice.
    """
    _metrics.invoked(context.aws_request_id)
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())
    report = asyncio.run(_sweep(remaining - _SPARE))
    log = _LOG.info if report.is_complete else _LOG.error
    log("sweep done" if report.is_complete else "sweep out of time", extra=asdict(report))
    _metrics.observe(Swept(report.holds_expired, report.holds_repaired, report.periods_closed))
    return asdict(report)


async def _sweep(time_left: timedelta) -> SweepReport:
    call = connect(os.environ)
    try:
        storage = bootstrap.connect(call, _settings.table)
        sweep = bootstrap.sweep(_settings, storage)
        return await sweep.run(stop_at=bootstrap.utc_now() + time_left)
    finally:
        await call.close()
