"""What a direct client reports of its calls: metadata, by a list of what is taken.

Whatever else a report says is not in this type, and so in nothing that is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bursar.domain.usage import Status, TokenUsage


@dataclass(frozen=True, slots=True)
class UsageReport:
    """One call of a provider's, as its client tells of it.

    Attributes:
        event_id: the client's, unique within its project.
        endpoint: how it was reported, for the books.
        usage: None for a call that failed before it was counted.
        first_token_ms: from the request to the answer's first part.
        tokens_per_second: output tokens by the time they took.
        lease_id: the lease that it was spent under.
    """

    event_id: str
    endpoint: str
    provider: str
    model: str
    status: Status = Status.SUCCESS
    usage: TokenUsage | None = None
    provider_key_id: str | None = None
    client_name: str | None = None
    is_streamed: bool = False
    duration_ms: int | None = None
    first_token_ms: int | None = None
    tokens_per_second: Decimal | None = None
    lease_id: str | None = None
