"""Anthropic's Messages: what a request asks for, and how it is rewritten.

Sans-IO. Source of the format: Anthropic's API reference for `POST /v1/messages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bursar.dialects.error_shape import ErrorShape
from bursar.dialects.messages_bound import bound_of
from bursar.dialects.messages_errors import MESSAGES_ERRORS
from bursar.dialects.messages_fields import MessagesFields, check
from bursar.dialects.messages_limits import imposed_limit
from bursar.dialects.messages_tools import limited_to
from bursar.dialects.openai_body import Body
from bursar.domain.models import ModelName, requested_model

if TYPE_CHECKING:
    from bursar.dialects.request import Terms
    from bursar.domain.pricing import Bound, Price


@dataclass(frozen=True, slots=True)
class MessagesRequest:
    """A Messages request; `body` keeps every field it came with."""

    body: Body
    model: ModelName
    fields: MessagesFields
    endpoint: str = "/v1/messages"
    operation: str = "messages"
    content_type: str = "application/json"
    user_field: str = "metadata.user_id"
    # Claude Code writes telemetry into it, which names nobody whom the gateway knows.
    is_user_advisory: bool = True
    # Usage is in events that every caller expects.
    wants_usage: bool = True
    errors: ErrorShape = MESSAGES_ERRORS

    @property
    def user(self) -> str | None:
        """The end user as the caller names it, for the provider; who pays for the master key."""
        user_id = (self.fields.metadata or {}).get("user_id")
        return user_id if isinstance(user_id, str) else None

    @property
    def is_streamed(self) -> bool:
        return bool(self.fields.stream)

    @property
    def declared_output_tokens(self) -> int | None:
        return self.fields.max_tokens

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """The most this request can use; it always declares the longest answer itself.

        Raises:
            Unpriceable: it asks for something that no price covers, or whose size is unknown.
        """
        return bound_of(self.body, self.model, self.fields, price)

    def document(self) -> dict[str, Any]:
        return self.body.document()

    def rewritten(self, terms: Terms) -> bytes:
        """The body for the provider: its own model name, and the limits that the terms impose.

        Raises:
            InvalidRequest: the limit leaves no room for the thinking that was asked for.
        """
        changes: dict[str, Any] = {"model": terms.model}
        if terms.output_tokens is not None:
            fields = self.fields
            changes |= imposed_limit(terms.output_tokens, fields.max_tokens, fields.thinking)
        if terms.tool_calls is not None:
            changes["tools"] = limited_to(self.fields.tools or (), terms.tool_calls)
        return self.body.rewritten(terms, **changes)


def parse_messages(raw: bytes) -> MessagesRequest:
    """Read a request body.

    Raises:
        InvalidRequest: not JSON, a model without provider, or an impossible limit.
        Unprocessable: a field is missing or of the wrong type; `param` names it.
    """
    body = Body(raw)
    fields = body.read(MessagesFields)
    check(fields)
    return MessagesRequest(body, requested_model(fields.model), fields)
