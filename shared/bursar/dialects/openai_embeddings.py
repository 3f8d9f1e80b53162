"""OpenAI embeddings: what a request asks for, its upper bound, and how it is rewritten.

Sans-IO. Source of the format: OpenAI's API reference for `POST /v1/embeddings`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.error_shape import ErrorShape
from bursar.dialects.openai_body import Body
from bursar.dialects.openai_errors import OPENAI_ERRORS
from bursar.domain.errors import Unpriceable, Unprocessable
from bursar.domain.models import ModelName, requested_model
from bursar.domain.pricing import Bound

if TYPE_CHECKING:
    from bursar.dialects.request import Terms
    from bursar.domain.pricing import Price

# What a tokenizer may put around each input.
_TOKENS_PER_INPUT = 4
# Where vendors take pictures and more beside `input`, or in its place.
_OTHER_INPUTS: Final = ("inputs", "images", "image", "videos")
_ENCODING: Final = "encoding_format"


class _Fields(msgspec.Struct):
    model: str
    input: str | list[Any]
    user: str | None = None
    encoding_format: str | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingsRequest:
    """An embeddings request; `body` keeps every field it came with."""

    body: Body = field(repr=False)
    model: ModelName
    user: str | None
    input_tokens_max: int
    encoding_format: str | None
    endpoint: str = "/v1/embeddings"
    operation: str = "embeddings"
    content_type: str = "application/json"
    user_field: str = "user"
    is_user_advisory: bool = False
    is_streamed: bool = False
    wants_usage: bool = True
    errors: ErrorShape = OPENAI_ERRORS

    @property
    def declared_output_tokens(self) -> int | None:
        return 0

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """The most it can use.

        Raises:
            Unpriceable: it has input other than text.
        """
        for name in _OTHER_INPUTS:
            if name in self.body:
                raise Unpriceable(
                    f"'{name}' cannot be priced: its size is unknown. Only texts are taken here, "
                    "as 'input'"
                )
        return Bound(self.input_tokens_max, 0, takes_output_limit=False)

    def document(self) -> dict[str, Any]:
        return self.body.document()

    def rewritten(self, terms: Terms) -> bytes:
        """The body for the provider: its own model name, and the fields under its names.

        Where the endpoint drops `encoding_format`, only the default "float" is dropped: another
        encoding would change the answer.
        """
        if _ENCODING in terms.dropped_fields and self.encoding_format not in (None, "float"):
            terms = replace(terms, dropped_fields=terms.dropped_fields - {_ENCODING})
        return self.body.rewritten(terms, model=terms.model)


def parse_embeddings(raw: bytes) -> EmbeddingsRequest:
    """Read a request body.

    Raises:
        InvalidRequest: not JSON, or a model without provider.
        Unprocessable: a field is missing or of the wrong type, or there is no input.
        Unpriceable: an input is neither a text nor tokens.
    """
    body = Body(raw)
    fields = body.read(_Fields)
    if not fields.input:
        raise Unprocessable("input: must not be empty", param="input")
    inputs = [fields.input] if isinstance(fields.input, str) else fields.input
    return EmbeddingsRequest(
        body=body,
        model=requested_model(fields.model),
        user=fields.user,
        input_tokens_max=sum(_tokens_max(item) for item in inputs),
        encoding_format=fields.encoding_format,
    )


def _tokens_max(item: Any) -> int:
    match item:
        case str():
            return len(item.encode(errors="surrogatepass")) + _TOKENS_PER_INPUT
        case bool():
            pass
        case int():
            return 1
        case list() if all(type(token) is int for token in item):
            return len(item) + _TOKENS_PER_INPUT
        case dict():
            raise Unpriceable(
                "An object in 'input' cannot be priced, for a picture has no known size: send "
                "texts as strings"
            )
    raise Unprocessable("input: must be texts, or tokens as integers", param="input")
