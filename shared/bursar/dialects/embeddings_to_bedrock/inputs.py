"""What is common to the ways from OpenAI's embeddings to Bedrock's: fields in, vectors out."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, Any, NoReturn

from bursar.dialects.translator import Untranslatable
from bursar.domain.errors import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bursar.dialects.translator import Asked

# `user` says who pays here; Bedrock has no place for it.
_KNOWN = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
_ENCODINGS = (None, "float", "base64")


class Embeddings:
    """One request's fields and answer; see `translator.Translator`.

    Attributes:
        extra_fields: of Bedrock's own that a caller may set.
        upstream_model: the provider's name of the model, whatever the caller calls it.
    """

    extra_fields: Collection[str] = ()

    def __init__(self, asked: Asked) -> None:
        self._model = asked.model
        self.upstream_model = asked.upstream_model or asked.model
        self._encoding: str | None = None

    def stream(self) -> NoReturn:
        raise UpstreamBroken("Embeddings come in one piece")

    def texts_of(self, document: Mapping[str, Any]) -> list[str]:
        """The texts to embed; what they are to be like is remembered for the answer.

        Raises:
            Untranslatable: a field that Bedrock does not know, or input other than text.
        """
        for name in document:
            if name not in _KNOWN and name not in self.extra_fields:
                raise Untranslatable(f"'{name}' is not known to this model on Bedrock", param=name)
        self._encoding = document.get("encoding_format")
        if self._encoding not in _ENCODINGS:
            raise Untranslatable(
                f"Encoding '{self._encoding}' is not known: ask for 'float' or 'base64'",
                param="encoding_format",
            )
        given = document["input"]
        texts = [given] if isinstance(given, str) else given
        if not all(isinstance(text, str) for text in texts):
            raise Untranslatable(
                "Models on Bedrock take texts, not tokens; with LangChain, set "
                "check_embedding_ctx_length=False",
                param="input",
            )
        return list(texts)

    def one_text_of(self, document: Mapping[str, Any]) -> str:
        """The same for a model that takes one text a request.

        Raises:
            Untranslatable: as `texts_of`, or more than one text.
        """
        texts = self.texts_of(document)
        if len(texts) != 1:
            raise Untranslatable(
                "This model on Bedrock takes one input a request: send one request for each",
                param="input",
            )
        return texts[0]

    def told(self, vectors: Sequence[Sequence[float]], tokens: int = 0) -> dict[str, Any]:
        """OpenAI's answer.

        Args:
            tokens: of all input; 0 where Bedrock tells them in a header only.
        """
        return {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": self._encoded(vector)}
                for index, vector in enumerate(vectors)
            ],
            "model": self._model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }

    def _encoded(self, vector: Sequence[float]) -> str | list[float]:
        if self._encoding == "base64":
            return base64.b64encode(_packed(vector)).decode()
        return list(vector)


def _packed(vector: Sequence[float]) -> bytes:
    try:
        return struct.pack(f"<{len(vector)}f", *vector)
    except (struct.error, OverflowError):
        raise UpstreamBroken("The provider's vectors are none of numbers") from None
