"""What a provider's error body says, whichever dialect it is in.

Seen in the wild: OpenAI's and Anthropic's `error` object, Google's with a numeric `code` and a
`status`, sometimes in a list, FastAPI's `detail`, AWS's `message` or `Message` with `__type`, a
bare `error` string, and pages that are no JSON at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.dialects.metering import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

_MESSAGE_CHARS_MAX = 2_000
_UNSAID = "The provider refused the request and did not say why"
_TYPE = "upstream_error"


@dataclass(frozen=True, slots=True)
class ProviderError:
    """An error as its provider told it.

    Attributes:
        message: for people.
        type: the provider's own class of it, `upstream_error` where it has none.
        code: the provider's own code, None where it has none.
        param: the field at fault, None where it is not named.
    """

    message: str
    type: str = _TYPE
    code: str | None = None
    param: str | None = None


def read_provider_error(body: bytes) -> ProviderError:
    try:
        document = msgspec.json.decode(body)
    except UNREADABLE:
        return ProviderError(_UNSAID)
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return ProviderError(_UNSAID)
    error = document.get("error")
    holder = error if isinstance(error, dict) else document
    kinds = (holder.get(name) for name in ("type", "status", "__type"))
    return ProviderError(
        _message_of(holder, error)[:_MESSAGE_CHARS_MAX],
        next((kind for kind in kinds if isinstance(kind, str) and kind), _TYPE),
        _text_of(holder.get("code")),
        _text_of(holder.get("param")),
    )


def _message_of(holder: Mapping[str, Any], error: Any) -> str:
    told = (holder.get("message"), holder.get("Message"), _detail_of(holder.get("detail")), error)
    return next((text for text in told if isinstance(text, str) and text), _UNSAID)


def _detail_of(detail: Any) -> Any:
    """The first complaint of a validation, or the detail itself."""
    first = detail[0] if isinstance(detail, list) and detail else detail
    return first.get("msg") if isinstance(first, dict) else first


def _text_of(value: Any) -> str | None:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    return None
