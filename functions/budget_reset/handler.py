"""The schedule as a Lambda function: expires holds and closes periods that are over."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from bursar import bootstrap
from bursar.settings import load_settings
from bursar.store.connect import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.services.sweep import SweepReport

_LOG = logging.getLogger(__name__)
# What is left of the function's time when it stops on its own, between two pages.
_SPARE = timedelta(seconds=10)


class Context(Protocol):
    """What is used of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:  # noqa: ARG001 (Lambda passes it)
    """Sweep once. The schedule's event says nothing that is needed.

    A failure is raised, so that the schedule tries again; what was done is not done twice.
    """
    remaining = timedelta(milliseconds=context.get_remaining_time_in_millis())
    report = asyncio.run(_sweep(remaining - _SPARE))
    log = _LOG.info if report.is_complete else _LOG.error
    log("sweep done" if report.is_complete else "sweep out of time", extra=asdict(report))
    return asdict(report)


async def _sweep(time_left: timedelta) -> SweepReport:
    settings = load_settings(os.environ)
    call = connect(os.environ)
    try:
        storage = bootstrap.connect(call, settings.table)
        sweep = bootstrap.sweep(settings, storage)
        return await sweep.run(stop_at=bootstrap.utc_now() + time_left)
    finally:
        await call.close()
