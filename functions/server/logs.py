"""Logs of a run on one machine: a JSON object a line, on standard error."""

from __future__ import annotations

import logging
import sys

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

# Libraries whose lower levels would fill the log, or put headers into it.
_QUIET = ("uvicorn", "botocore", "boto3", "urllib3", "werkzeug", "moto", "asyncio")


def configure_logs(level: str) -> None:
    """Send everything of ours at a level or above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LambdaPowertoolsFormatter(utc=True))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
