"""OpenAI embeddings: what a request asks for, its upper bound, and how it is rewritten.

Sans-IO. Source of the format: OpenAI's API reference for `POST /v1/embeddings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from bursar.dialects.openai_body import Body
from bursar.domain.errors import Unprocessable
from bursar.domain.models import ModelName, parse_model
from bursar.domain.pricing import Bound

if TYPE_CHECKING:
    from bursar.domain.pricing import Price

# What a tokenizer may put around each input.
_TOKENS_PER_INPUT = 4


class _Fields(msgspec.Struct):
    model: str
    input: str | list[str | int | list[int]]
    user: str | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingsRequest:
    """An embeddings request; `body` keeps every field it came with."""

    body: Body
    model: ModelName
    user: str | None
    input_tokens_max: int
    endpoint: str = "/v1/embeddings"
    operation: str = "embeddings"
    path: str = "/embeddings"
    is_streamed: bool = False
    wants_usage: bool = True

    @property
    def declared_output_tokens(self) -> int | None:
        return 0

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        return Bound(self.input_tokens_max, 0)

    def rewritten(
        self, *, output_tokens: int | None, limit_field: str, streams_usage: bool
    ) -> bytes:
        """The body for the provider: its own model name."""
        return self.body.rewritten(model=self.model.model)


def parse_embeddings(raw: bytes) -> EmbeddingsRequest:
    """Read a request body.

    Raises:
        InvalidRequest: not JSON, or a model without provider.
        Unprocessable: a field is missing or of the wrong type, or there is no input.
    """
    body = Body(raw)
    fields = body.read(_Fields)
    if not fields.input:
        raise Unprocessable("input: must not be empty", param="input")
    inputs = [fields.input] if isinstance(fields.input, str) else fields.input
    return EmbeddingsRequest(
        body=body,
        model=parse_model(fields.model),
        user=fields.user,
        input_tokens_max=sum(_tokens_max(item) for item in inputs),
    )


def _tokens_max(item: str | int | list[int]) -> int:
    match item:
        case str():
            return len(item.encode()) + _TOKENS_PER_INPUT
        case int():
            return 1
        case list():
            return len(item) + _TOKENS_PER_INPUT
