"""The fields of a usage record: what kind each is, and which of them a table shows."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

from bursar.cli.output import Column, as_shown, as_usd

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDE_COLUMNS: Final = 150
FieldKind = Literal["text", "moment", "count", "usd", "number", "flag", "counts", "rates"]
FIELDS: Final[Mapping[str, FieldKind]] = {
    "id": "text",
    "timestamp": "moment",
    "user_id": "text",
    "api_key_id": "text",
    "project_id": "text",
    "client_id": "text",
    "provider_key_id": "text",
    "lease_id": "text",
    "provider": "text",
    "model": "text",
    "alias": "text",
    "route": "text",
    "attempts": "count",
    "endpoint": "text",
    "status": "text",
    "outcome": "text",
    "error_message": "text",
    "estimated": "flag",
    "streamed": "flag",
    "prompt_tokens": "count",
    "completion_tokens": "count",
    "total_tokens": "count",
    "cached_tokens": "count",
    "token_details": "counts",
    "cost": "usd",
    "reported_cost": "usd",
    "rates": "rates",
    "price_version": "text",
    "service_tier": "text",
    "duration_ms": "count",
    "first_token_ms": "count",
    "tokens_per_second": "number",
    "upstream_request_id": "text",
}
"""By name, in the order of a file's columns. Amounts are US dollars."""

ALL_COLUMNS: Final = tuple(Column(name, name) for name in FIELDS)


def _to_the_second(value: Any) -> str:
    return as_shown(value)[:19].replace("T", " ")


def _seconds(value: Any) -> str:
    return "-" if value is None else f"{int(value) / 1000:.1f}s"


_SHOWN: Final = (
    Column("timestamp", "TIME", _to_the_second),
    Column("user_id", "USER"),
    Column("full_name", "MODEL"),
    Column("prompt_tokens", "IN", is_number=True),
    Column("completion_tokens", "OUT", is_number=True),
    Column("cost", "COST", as_usd, is_number=True),
    Column("duration_ms", "TOOK", _seconds, is_number=True),
    Column("outcome", "END"),
)
_REQUEST: Final = Column("id", "REQUEST")


def shown_columns() -> tuple[Column, ...]:
    """A table's columns. The requests' ids need a wide terminal, or none."""
    is_narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < _WIDE_COLUMNS
    return _SHOWN if is_narrow else (*_SHOWN, _REQUEST)


def full_name(record: Mapping[str, Any]) -> str | None:
    """A record's model with its provider."""
    model: str | None = record["model"]
    provider: str | None = record["provider"]
    return f"{provider}:{model}" if provider and model else model
