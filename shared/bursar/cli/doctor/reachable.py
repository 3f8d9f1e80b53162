"""The gateway answers, is ready, and is of this command's version."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.connection import HttpConnection
from bursar.cli.doctor.checks import Verdict
from bursar.cli.failures import Failed, RefusedByGateway

if TYPE_CHECKING:
    from bursar.cli.doctor.checks import Context

_TRIES: Final = 3


class Reachable:
    name = "reachable"
    proves = "The gateway answers, is ready, and is of this command's version."
    calls = False

    def run(self, context: Context) -> Verdict:
        gateway = HttpConnection(context.url)
        try:
            times_ms = [_time_ms(gateway) for _ in range(_TRIES)]
            readiness = gateway.ask("GET", "/health/readiness")
        except RefusedByGateway as refusal:
            return Verdict.failed(
                f"It is not ready: {refusal.message}",
                "Its log says why: bursar logs tail, or what the process wrote",
            )
        except Failed as failure:
            return Verdict.failed(
                failure.message, "Is the address right, and does a firewall stand in between?"
            )
        return _verdict(readiness, version("bursar"), sorted(times_ms)[len(times_ms) // 2])


def _time_ms(gateway: HttpConnection) -> int:
    begun_s = time.monotonic()
    gateway.ask("GET", "/health")
    return round((time.monotonic() - begun_s) * 1000)


def _verdict(readiness: dict[str, Any], own: str, answer_ms: int) -> Verdict:
    theirs = readiness.get("version")
    if theirs != own:
        return Verdict.failed(
            f"The gateway is {theirs}, this command is {own}",
            "Bring both to one version: what one writes, the other may not understand",
        )
    return Verdict.passed(f"version {own} answers in {answer_ms} ms and reaches its table")
