"""What the requests of all operations that only pass through have in common."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgspec

from bursar.dialects.error_shape import ErrorShape
from bursar.dialects.openai_body import Body
from bursar.dialects.openai_errors import OPENAI_ERRORS
from bursar.domain.errors import InvalidRequest
from bursar.domain.models import ModelName

if TYPE_CHECKING:
    from bursar.dialects.request import Terms

_StructT = TypeVar("_StructT", bound=msgspec.Struct)

JSON: Final = "application/json"


class PassedBody(Protocol):
    """A body whose fields are read and rewritten by name, JSON or a form."""

    def __len__(self) -> int: ...

    def __contains__(self, name: str) -> bool: ...

    def read(self, kind: type[_StructT]) -> _StructT:
        """Read the fields that a struct names.

        Raises:
            InvalidRequest: one is missing or of the wrong type.
        """
        ...

    def document(self) -> dict[str, Any]: ...

    def rewritten(self, terms: Terms, **changes: Any) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedRequest:
    """A request whose bytes go on as they came, but for its model; see `InferenceRequest`.

    Attributes:
        has_user: the dialect has a `user` field. Where it has none, the field is the gateway's
            own, says who pays, and is not passed on.
    """

    body: PassedBody = field(repr=False)
    model: ModelName
    endpoint: str
    operation: str
    content_type: str = JSON
    user: str | None = None
    has_user: bool = True
    user_field: str = "user"
    is_user_advisory: bool = False
    is_streamed: bool = False
    wants_usage: bool = True
    declared_output_tokens: int | None = 0
    errors: ErrorShape = OPENAI_ERRORS

    def document(self) -> dict[str, Any]:
        return self.body.document()

    def rewritten(self, terms: Terms) -> bytes:
        if not self.has_user:
            terms = replace(terms, dropped_fields=terms.dropped_fields | {self.user_field})
        return self.body.rewritten(terms, model=terms.model)


def json_body(raw: bytes, content_type: str) -> Body:
    """The body of a route that takes JSON; a missing content type is taken for it.

    Raises:
        InvalidRequest: it is something else.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        raise InvalidRequest(f"This route takes {JSON}, not '{kind}'")
    return Body(raw)
