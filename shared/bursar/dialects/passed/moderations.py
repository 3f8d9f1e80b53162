"""Classifying texts and pictures.

Sans-IO. Source of the format: OpenAI's API reference for `POST /v1/moderations`. OpenAI does so for
nothing: its models have price rows of zero, and are refused without one like any other model, since
nothing in a request tells what is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.passed.image_tokens import INPUT_IMAGE_TOKENS_MAX
from bursar.dialects.passed.request import PassedRequest, json_body
from bursar.domain.errors import Unprocessable
from bursar.domain.models import requested_model
from bursar.domain.pricing import Bound
from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from bursar.domain.pricing import Price

_TOKENS_PER_INPUT: Final = 64


class _Fields(msgspec.Struct):
    model: str
    input: str | list[Any]
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModerationRequest(PassedRequest):
    """Texts and pictures to be classified."""

    inputs: list[Any]

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """Everything as input; nothing where the model is free."""
        if price is not None and price.is_free:
            return Bound(0, 0)
        images = sum(_is_image(item) for item in self.inputs) * INPUT_IMAGE_TOKENS_MAX
        texts = sum(_text_bytes(item) + _TOKENS_PER_INPUT for item in self.inputs)
        return Bound(texts + images, 0, input_image_tokens=images, takes_output_limit=False)

    def own_usage(self, price: Price | None) -> TokenUsage | None:
        """Nothing is billed of what is free."""
        return TokenUsage() if price is not None and price.is_free else None


def parse_moderation(raw: bytes, content_type: str) -> ModerationRequest:
    """Read a request.

    Raises:
        InvalidRequest: not JSON.
        Unprocessable: a field is missing or of the wrong type, or there is no input.
    """
    body = json_body(raw, content_type)
    fields = body.read(_Fields)
    if not fields.input:
        raise Unprocessable("input: must not be empty", param="input")
    return ModerationRequest(
        body=body,
        model=requested_model(fields.model),
        endpoint="/v1/moderations",
        operation="moderations",
        user=fields.user,
        has_user=False,
        inputs=[fields.input] if isinstance(fields.input, str) else fields.input,
    )


def _is_image(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == "image_url"


def _text_bytes(item: Any) -> int:
    return 0 if _is_image(item) else len(msgspec.json.encode(item))
