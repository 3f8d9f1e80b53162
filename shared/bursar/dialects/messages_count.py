"""Counting the tokens of a Messages request before it is sent, which costs nothing.

Source: Anthropic's API reference for `POST /v1/messages/count_tokens`. Where a provider has no such
endpoint, the count is estimated here, so that clients which ask before every turn, as Claude Code
does, work with any model. An estimate is no bound: quotes are made by `messages_bound`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.error_shape import ErrorShape
from bursar.dialects.messages_errors import MESSAGES_ERRORS
from bursar.dialects.messages_fields import check_messages
from bursar.dialects.messages_media import blocks_of
from bursar.dialects.openai_body import Body
from bursar.domain.models import ModelName, requested_model
from bursar.domain.pricing import Bound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.request import Terms
    from bursar.domain.pricing import Price

ESTIMATE_HEADER: Final = "x-bursar-token-count"
ESTIMATED: Final = "estimated"
"""That header's value where no provider counted."""

_COUNTED_FIELDS: Final = ("system", "messages", "tools", "output_config", "output_format")
# English takes about four bytes a token, JSON's own signs included; other scripts about three.
_BYTES_PER_TOKEN, _BYTES_PER_FOREIGN_TOKEN = 4, 3
_TOKENS_OF_TOOL_PROMPT = 346
_TOKENS_PER_IMAGE = 1_600
_TOKENS_PER_PAGE = 3_000
_BASE64_BYTES_PER_PAGE = 100_000
_BEYOND_ASCII = bytes(range(0x80, 0x100))


class _Fields(msgspec.Struct):
    model: str
    messages: list[dict[str, Any]]
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CountRequest:
    """A request to count; `body` keeps every field it came with."""

    body: Body
    model: ModelName
    user: str | None
    endpoint: str = "/v1/messages/count_tokens"
    operation: str = "count_tokens"
    content_type: str = "application/json"
    user_field: str = "metadata.user_id"
    is_user_advisory: bool = True
    is_streamed: bool = False
    wants_usage: bool = True
    errors: ErrorShape = MESSAGES_ERRORS

    @property
    def declared_output_tokens(self) -> int | None:
        return 0

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """Nothing: no provider charges for counting."""
        return Bound(0, 0, takes_output_limit=False)

    def document(self) -> dict[str, Any]:
        return self.body.document()

    def rewritten(self, terms: Terms) -> bytes:
        """The body for the provider: its own model name."""
        return self.body.rewritten(terms, model=terms.model)


def parse_count_tokens(raw: bytes) -> CountRequest:
    """Read a request body.

    Raises:
        InvalidRequest: not JSON, or a model without provider.
        Unprocessable: a field is missing or of the wrong type; `param` names it.
    """
    body = Body(raw)
    fields = body.read(_Fields)
    check_messages(fields.messages)
    user_id = (fields.metadata or {}).get("user_id")
    return CountRequest(
        body, requested_model(fields.model), user_id if isinstance(user_id, str) else None
    )


def count_of(tokens: int) -> bytes:
    """The answer that says how many tokens there are."""
    return msgspec.json.encode({"input_tokens": tokens})


def estimate_tokens(document: Mapping[str, Any]) -> int:
    """About how many input tokens a request has: text by its bytes, media by what is usual."""
    media = inline_bytes = 0
    for block in blocks_of(document["messages"]):
        source = block.get("source")
        data = source.get("data") if isinstance(source, dict) else None
        size = len(data) if isinstance(data, str) else 0
        if block.get("type") == "image":
            media += _TOKENS_PER_IMAGE
        elif block.get("type") == "document" and _is_pages(source):
            media += _TOKENS_PER_PAGE * (1 + size // _BASE64_BYTES_PER_PAGE)
        else:
            continue
        inline_bytes += size
    counted = {name: document[name] for name in _COUNTED_FIELDS if document.get(name)}
    text = msgspec.json.encode(counted)
    ascii_bytes = len(text.translate(None, _BEYOND_ASCII))
    tokens = (ascii_bytes - inline_bytes) // _BYTES_PER_TOKEN
    tokens += (len(text) - ascii_bytes) // _BYTES_PER_FOREIGN_TOKEN
    return tokens + media + (_TOKENS_OF_TOOL_PROMPT if document.get("tools") else 0)


def _is_pages(source: Any) -> bool:
    return isinstance(source, dict) and source.get("type") in {"base64", "url", "file"}
