"""Pictures made from words, or from words and pictures.

Sans-IO. Source of the format: OpenAI's API reference for `POST /v1/images/generations`, which takes
JSON, and `POST /v1/images/edits`, which takes a form, or JSON that names its pictures. Vendors say
`n` in words of their own besides: SiliconFlow's API reference has `batch_size`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.passed.image_tokens import (
    INPUT_IMAGE_TOKENS_MAX,
    PARTIAL_IMAGE_TOKENS,
    Asked,
    output_tokens_max,
)
from bursar.dialects.passed.request import JSON, PassedBody, PassedRequest, json_body
from bursar.domain.errors import InvalidRequest, Unpriceable
from bursar.domain.models import requested_model
from bursar.domain.pricing import Bound

if TYPE_CHECKING:
    from bursar.domain.pricing import Price

# What a vendor may put around a prompt.
_TOKENS_OF_PROMPT: Final = 1_024
_IMAGES_MAX: Final = 100
_GIF_FRAMES_DEFAULT: Final = 9
_COUNTS: Final = ("n", "batch_size", "num_images", "num_images_per_prompt", "num_outputs")
_LIMITS: Final = {
    **dict.fromkeys(_COUNTS, (1, _IMAGES_MAX)),
    "partial_images": (0, 100),
    "frame_count": (1, 1_000),
}


class _Fields(msgspec.Struct):
    model: str
    prompt: str
    n: int | None = None
    batch_size: int | None = None
    num_images: int | None = None
    num_images_per_prompt: int | None = None
    num_outputs: int | None = None
    size: str | None = None
    quality: str | None = None
    stream: bool | None = None
    partial_images: int | None = None
    output_format: str | None = None
    frame_count: int | None = None
    user: str | None = None

    @property
    def count(self) -> int:
        """Pictures at the most: a vendor that knows two of the words may multiply them."""
        return math.prod(getattr(self, name) or 1 for name in _COUNTS)


class _Pictures(msgspec.Struct):
    """Where JSON names input pictures; vendors differ."""

    image: Any = None
    images: Any = None
    image_url: Any = None
    reference_images: Any = None
    mask: Any = None
    markup: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesRequest(PassedRequest):
    """A request for pictures.

    Attributes:
        input_images: pictures that it shows.
        text_bytes: length of all that is no file.
    """

    fields: _Fields
    input_images: int
    text_bytes: int

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """The most it can use, in pictures and in tokens: the price says what of it is billed.

        Raises:
            Unpriceable: the pictures are drawn by a second model, which has a price of its own.
        """
        if self.fields.output_format == "svg" or "svg" in self.body:
            raise Unpriceable(
                "SVG cannot be priced: a second model writes it, whose tokens are billed apart. "
                "Ask for another 'output_format'"
            )
        count = self.fields.count
        image_tokens = self.input_images * INPUT_IMAGE_TOKENS_MAX
        prompt_tokens = len(self.fields.prompt.encode(errors="surrogatepass"))
        return Bound(
            prompt_tokens + _TOKENS_OF_PROMPT + image_tokens,
            self._output_tokens(price),
            answers=count,
            input_image_tokens=image_tokens,
            generates_images=True,
            images=count,
            takes_output_limit=False,
        )

    def _output_tokens(self, price: Price | None) -> int:
        """Of one picture, with those that are shown before it is finished."""
        fields = self.fields
        known = price.max_output_tokens if price else None
        if known is not None:
            return known
        frames = 1
        if fields.output_format == "gif":
            frames = fields.frame_count or _GIF_FRAMES_DEFAULT
        tokens = output_tokens_max(Asked(self.model.model, fields.size, fields.quality)) * frames
        return tokens + (fields.partial_images or 0) * PARTIAL_IMAGE_TOKENS


@dataclass(frozen=True, slots=True)
class _Came:
    """A body as it came, and what it holds beside its fields."""

    body: PassedBody
    content_type: str
    text_bytes: int
    input_images: int


def parse_generations(raw: bytes, content_type: str) -> ImagesRequest:
    """Read a request for new pictures.

    Raises:
        InvalidRequest: not JSON, or a value out of range.
        Unprocessable: a field is missing or of the wrong type.
    """
    return _request(_json(raw, content_type), "/v1/images/generations", "images")


def parse_edits(raw: bytes, content_type: str) -> ImagesRequest:
    """Read a request for changed pictures.

    Raises:
        InvalidRequest: neither a form nor JSON, or a value out of range.
        Unprocessable: a field is missing or of the wrong type.
    """
    is_json = content_type.partition(";")[0].strip().lower() == JSON
    came = _json(raw, content_type) if is_json else _form(raw, content_type)
    if not came.input_images:
        raise InvalidRequest("'image' is missing: there is nothing to edit", param="image")
    return _request(came, "/v1/images/edits", "image_edits")


def _json(raw: bytes, content_type: str) -> _Came:
    body = json_body(raw, content_type)
    return _Came(body, JSON, len(raw), _count(body.read(_Pictures)))


def _form(raw: bytes, content_type: str) -> _Came:
    from bursar.dialects.passed.multipart import (  # noqa: PLC0415 (few requests are forms)
        MultipartBody,
    )

    form = MultipartBody(raw, content_type)
    shown = len(form.files(*_Pictures.__struct_fields__))
    return _Came(form, content_type, form.text_bytes(), shown)


def _request(came: _Came, endpoint: str, operation: str) -> ImagesRequest:
    fields = came.body.read(_Fields)
    _check(fields)
    return ImagesRequest(
        body=came.body,
        model=requested_model(fields.model),
        endpoint=endpoint,
        operation=operation,
        content_type=came.content_type,
        user=fields.user,
        is_streamed=bool(fields.stream),
        fields=fields,
        input_images=came.input_images,
        text_bytes=came.text_bytes,
    )


def _check(fields: _Fields) -> None:
    for name, (least, most) in _LIMITS.items():
        value = getattr(fields, name)
        if value is not None and not least <= value <= most:
            raise InvalidRequest(f"'{name}' must be from {least} to {most}", param=name)
    if fields.count > _IMAGES_MAX:
        raise InvalidRequest(f"At most {_IMAGES_MAX} pictures can be asked for", param="n")
    if fields.stream and fields.count > 1:
        raise InvalidRequest("A stream is of one picture: leave out 'n' or 'stream'", param="n")


def _count(pictures: _Pictures) -> int:
    values = [getattr(pictures, name) for name in pictures.__struct_fields__]
    return sum(len(it) if isinstance(it, list) else it is not None for it in values)
