"""What narrows a listing of usage, the same wherever the books are read."""

from typing import Annotated

from fastapi import Depends, Query

from bursar.domain.usage import Status, UsageFilter
from functions.admin.schemas.fields import Instant

Start = Annotated[Instant | None, Query(description="Not before.")]
End = Annotated[Instant | None, Query(description="Before.")]
_Model = Annotated[
    str | None, Query(description="The provider's name for a model, or `provider:model`.")
]
_Outcome = Annotated[
    Status | None, Query(description="How requests ended; matches `outcome` exactly.")
]


async def _narrowed(  # every way of narrowing is a parameter of the query
    *,
    start: Start = None,
    end: End = None,
    key_id: str | None = None,
    model: _Model = None,
    provider: str | None = None,
    status: _Outcome = None,
) -> UsageFilter:
    return UsageFilter(
        start=start, end=end, key_id=key_id, model=model, provider=provider, status=status
    )


Narrowed = Annotated[UsageFilter, Depends(_narrowed)]
