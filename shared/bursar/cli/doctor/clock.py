"""The clocks agree, and the certificate is not about to end."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.checks import Verdict

if TYPE_CHECKING:
    from bursar.cli.doctor.checks import Context

_SKEW_MAX: Final = timedelta(seconds=30)
_CERTIFICATE_LEFT_MIN: Final = timedelta(days=14)
_TIMEOUT_S: Final = 10.0


class Clock:
    name = "clock"
    proves = "The gateway's clock agrees with this one's, and its certificate is valid for weeks."
    calls = False

    def run(self, context: Context) -> Verdict:
        import httpx2  # noqa: PLC0415 (half of what starting this command would cost)

        before = datetime.now(UTC)
        try:
            with httpx2.stream("GET", f"{context.url}/health", timeout=_TIMEOUT_S) as answer:
                after, date = datetime.now(UTC), answer.headers.get("date")
                ends = _certificate_ends(answer.extensions.get("network_stream"))
        except httpx2.HTTPError as error:
            return Verdict.failed(
                f"Nothing answers at {context.url} ({type(error).__name__})",
                "Is the address right, and the certificate valid?",
            )
        if date is None:
            return Verdict.skipped("Answers carry no Date", "Have what is in front pass it on")
        return judge(skew(date, before, after), ends, after)


def skew(date: str, before: datetime, after: datetime) -> timedelta:
    """How far a `Date` header, which has whole seconds, is from when its answer was made.

    Raises:
        ValueError: it is none.
    """
    told = parsedate_to_datetime(date).astimezone(UTC)
    if before - timedelta(seconds=1) <= told <= after:
        return timedelta(0)
    return told - (after if told > after else before)


def judge(off: timedelta, certificate_ends: datetime | None, now: datetime) -> Verdict:
    if abs(off) > _SKEW_MAX:
        direction = "ahead of" if off > timedelta(0) else "behind"
        return Verdict.failed(
            f"The gateway's clock is {abs(off).total_seconds():.0f} s {direction} this one's",
            "Set the wrong one by NTP: periods, expiries and signatures to AWS depend on it",
        )
    if certificate_ends is None:
        return Verdict.passed(f"the clocks are {abs(off).total_seconds():.0f} s apart")
    left = certificate_ends - now
    if left < _CERTIFICATE_LEFT_MIN:
        return Verdict.failed(
            f"The certificate ends at {certificate_ends:%Y-%m-%d %H:%M} UTC, in {left.days} days",
            "Renew it, and find out why that did not happen by itself",
        )
    return Verdict.passed(
        f"the clocks are {abs(off).total_seconds():.0f} s apart, and the certificate ends in "
        f"{left.days} days"
    )


def _certificate_ends(connection: Any) -> datetime | None:
    """When the certificate of a connection ends; None where it has none."""
    encrypted = None if connection is None else connection.get_extra_info("ssl_object")
    certificate = {} if encrypted is None else encrypted.getpeercert() or {}
    if "notAfter" not in certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
