"""Logs: one JSON object a line, with the request's ids.

Lambda's advanced logging controls take such lines as they are where they have a `timestamp` and a
`level`; a line without a level, as metrics are, counts as INFO there. So the level is ours to apply
(`BURSAR_LOG_LEVEL`), and Lambda's own filter must let INFO pass. The formatter is our own because
the data plane starts with it, by measurement (tests/benchmarks/RESULTS.md).
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.telemetry.context import bound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

SERVICE_VARIABLE = "POWERTOOLS_SERVICE_NAME"
SERVICE = "bursar"
# Libraries whose lower levels would fill the log, or put headers into it.
_QUIET = ("uvicorn", "botocore", "boto3", "urllib3", "werkzeug", "moto", "asyncio", "mangum")
_OF_EVERY_RECORD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def service_name(environ: Mapping[str, str]) -> str:
    """What lines and metrics of this deployment are found by."""
    return environ.get(SERVICE_VARIABLE) or SERVICE


class JsonFormatter(logging.Formatter):
    """Writes a record, what is bound and the record's own extras, which win."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": rfc3339(record.created),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "service": self._service,
            **bound(),
            **{k: v for k, v in record.__dict__.items() if k not in _OF_EVERY_RECORD},
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception_name"] = record.exc_info[0].__name__
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def rfc3339(seconds: float) -> str:
    """A time in UTC, to the millisecond."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def configure_logs(level: str, stream: TextIO | None = None) -> None:
    """Send everything of ours at a level or above to a stream, standard error if none is given.

    Handlers that are there, such as those of Lambda's runtime, are replaced.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(service_name(os.environ)))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
