"""Users: whom spending is accounted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class User:
    """Someone, or something, that spends.

    Attributes:
        budget_started_at: when the budget was assigned; rolling periods count from here.
        accounting_since: where the user's unbounded account starts, for a user whose spending no
            period divides: creation, revival, or the last change of budget.
        allowed_models: patterns such as `openai:gpt-4o*`; None allows every model.
        deleted_at: set on a deleted user, whose usage is kept.
    """

    user_id: str
    created_at: datetime
    updated_at: datetime
    accounting_since: datetime
    alias: str | None = None
    budget_id: str | None = None
    budget_started_at: datetime | None = None
    blocked: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    allowed_models: tuple[str, ...] | None = None
    rate_limit_rpm: int | None = None
    rate_limit_tpm: int | None = None
    deleted_at: datetime | None = None
