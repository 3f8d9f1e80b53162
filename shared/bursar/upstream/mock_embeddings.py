"""The mock provider's embeddings: unit vectors that depend on the text alone."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import struct
from typing import TYPE_CHECKING, Any

from bursar.upstream.mock_chat import prompt_tokens_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_DIMENSIONS = 1536
MAX_DIMENSIONS = 4096


def embeddings(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer's body.

    Raises:
        ValueError, TypeError, KeyError: the request makes no sense.
    """
    given = body["input"]
    inputs = given if isinstance(given, list) and not _is_token_ids(given) else [given]
    size = int(body.get("dimensions") or DEFAULT_DIMENSIONS)
    if not 0 < size <= MAX_DIMENSIONS:
        raise ValueError("dimensions")
    as_base64 = body.get("encoding_format") == "base64"
    vectors = [_vector(json.dumps(one), size) for one in inputs]
    tokens = sum(len(one) if isinstance(one, list) else prompt_tokens_of(one) for one in inputs)
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": at, "embedding": _packed(one) if as_base64 else one}
            for at, one in enumerate(vectors)
        ],
        "model": str(body["model"]),
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _is_token_ids(given: list[Any]) -> bool:
    return bool(given) and isinstance(given[0], int)


def _vector(text: str, size: int) -> list[float]:
    """A unit vector that depends on the text alone."""
    digest = hashlib.shake_256(text.encode()).digest(2 * size)
    numbers = [number - 32767.5 for number in struct.unpack(f"<{size}H", digest)]
    length = math.hypot(*numbers)
    return [round(number / length, 7) for number in numbers]


def _packed(vector: list[float]) -> str:
    """Little-endian 32-bit floats, as OpenAI sends them."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
