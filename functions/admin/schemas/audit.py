from typing import Self

from pydantic import BaseModel, Field

from bursar.domain.audit import ActorKind, AuditEntry, AuditPage
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import Instant


class AuditEntryAnswer(BaseModel):
    """A request that changed something, or that its caller was not allowed."""

    model_config = examples(
        {
            "request_id": "019b7c5e-6f00-7c3a-8a1e-2f4f6b9d1c55",
            "timestamp": "2026-01-31T12:00:00Z",
            "actor_kind": "aws",
            "actor_id": None,
            "actor_name": "arn:aws:sts::123456789012:assumed-role/admin/ada",
            "method": "DELETE",
            "route": "/v1/keys/{key_id}",
            "ids": {"key_id": "0b8f9d5e-6a43-4c0e-9f0b-3c1b0a6f4b53"},
            "status": 204,
        }
    )

    request_id: str = Field(description="The answer's `x-request-id`.")
    timestamp: Instant
    actor_kind: ActorKind = Field(description="What the caller showed.")
    actor_id: str | None = Field(description="A person's or a project's id.")
    actor_name: str | None = Field(
        description="A person's email, or the ARN that a caller by AWS identity says it has; "
        "CloudTrail knows which it was."
    )
    method: str
    route: str
    ids: dict[str, str] = Field(description="What stood in the route's braces.")
    status: int = Field(
        description="The answer's: below 300 it was carried out, 401 and 403 not allowed, from 500 "
        "on nobody knows how much was."
    )

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        return cls(
            request_id=entry.request_id,
            timestamp=entry.created_at,
            actor_kind=entry.actor_kind,
            actor_id=entry.actor_id,
            actor_name=entry.actor_name,
            method=entry.method,
            route=entry.route,
            ids=dict(entry.ids),
            status=entry.status,
        )


class AuditPageAnswer(BaseModel):
    """Entries, newest first."""

    data: list[AuditEntryAnswer]
    next_cursor: str | None = Field(description="Pass as `cursor` for the next page.")

    @classmethod
    def of(cls, page: AuditPage) -> Self:
        entries = [AuditEntryAnswer.of(entry) for entry in page.entries]
        return cls(data=entries, next_cursor=page.next_cursor)
