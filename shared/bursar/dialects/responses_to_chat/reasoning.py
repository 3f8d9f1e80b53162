"""How a model's reasoning comes back to it, although nobody stores it.

Some models want the reasoning of a turn back together with the results of its tools, and some sign
their calls. Chat has fields for that, Responses has `encrypted_content`: what the caller gives back
unread. So what chat gave travels there, as

    "bursar.v1." + base64url(JSON {"model": …, "message": {…}, "calls": {call id: …}})

without padding. It is not encrypted, because the caller may read it anyway, and not signed, because
the caller could write the same into a chat request. It goes back to the model that gave it; any
other reasoning is left out, which the response tells in OpenAI's own `input_transformations`.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX: Final = "bursar.v1."
# Names that chat providers give reasoning, the one that tells most first: what has signatures
# (LiteLLM's name of Anthropic's blocks, OpenRouter's), then what is text.
REASONING_FIELDS: Final = (
    "thinking_blocks",
    "reasoning_details",
    "reasoning_content",
    "reasoning",
)


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a model wants back.

    Attributes:
        model: as the caller wrote it.
        message: fields of its message, only `REASONING_FIELDS`.
        calls: by a call's id, what stands beside the call.
    """

    model: str
    message: dict[str, str | list[dict[str, Any]]] = {}
    calls: dict[str, dict[str, Any]] = {}


_KEPT = msgspec.json.Decoder(Kept)


def telling_most(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Of fields that all hold a message's reasoning, the one that tells most."""
    return next(({name: fields[name]} for name in REASONING_FIELDS if fields.get(name)), {})


def empty_in(message: Mapping[str, Any]) -> dict[str, Any]:
    """Reasoning that is there without a word; DeepSeek wants even that back with its calls."""
    return {name: "" for name in REASONING_FIELDS if message.get(name) == ""}


def packed(kept: Kept) -> str:
    return _PREFIX + urlsafe_b64encode(msgspec.json.encode(kept)).decode().rstrip("=")


def unpacked(encrypted_content: Any) -> Kept | None:
    """What was kept, None where it was another's or has been changed."""
    if not isinstance(encrypted_content, str) or not encrypted_content.startswith(_PREFIX):
        return None
    text = encrypted_content.removeprefix(_PREFIX)
    try:
        padded = text + "=" * (-len(text) % 4)
        kept = _KEPT.decode(b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        return None
    return kept if set(kept.message) <= set(REASONING_FIELDS) else None
