"""Sorting documents by how well they answer a query.

Sans-IO. Sources of the formats: the API references of Cohere (`POST /v2/rerank`), Jina
(`POST /v1/rerank`) and Voyage (`POST /v1/rerank`, which says `top_k` for `top_n`). Cohere bills by
the search: a query with up to a hundred documents, of which one longer than 500 tokens, the query
counted in, is cut into several. The others bill the tokens of each document with the query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.passed.request import PassedRequest, json_body
from bursar.domain.errors import Unpriceable, Unprocessable
from bursar.domain.models import requested_model
from bursar.domain.pricing import Bound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.domain.pricing import Price

_TOKENS_PER_DOCUMENT: Final = 16
_DOCUMENTS_PER_SEARCH: Final = 100
_CHUNK_TOKENS: Final = 500
# A query is cut off so that at least half of a chunk is the document's.
_CHUNK_TOKENS_OF_DOCUMENT_MIN: Final = 250
_NOT_TEXT: Final = frozenset({"image", "image_url", "images", "video", "audio", "url"})


class _Fields(msgspec.Struct):
    model: str
    query: Any
    documents: list[Any]
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankRequest(PassedRequest):
    """Documents and a query.

    Attributes:
        query_bytes: length of the query.
        document_bytes: length of each document.
    """

    query_bytes: int
    document_bytes: tuple[int, ...]

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """The most it can use, in searches and in tokens: the price says what is billed."""
        count = len(self.document_bytes)
        tokens = sum(self.document_bytes) + (self.query_bytes + _TOKENS_PER_DOCUMENT) * count
        return Bound(
            tokens + self.query_bytes,
            0,
            rerank_searches=self._searches(),
            takes_output_limit=False,
        )

    def _searches(self) -> int:
        room = max(_CHUNK_TOKENS - self.query_bytes, _CHUNK_TOKENS_OF_DOCUMENT_MIN)
        chunks = sum(max(1, -(-length // room)) for length in self.document_bytes)
        return max(1, -(-chunks // _DOCUMENTS_PER_SEARCH))


def parse_rerank(raw: bytes, content_type: str) -> RerankRequest:
    """Read a request.

    Raises:
        InvalidRequest: not JSON.
        Unprocessable: a field is missing or of the wrong type, or there are no documents.
        Unpriceable: a document or the query is no text.
    """
    body = json_body(raw, content_type)
    fields = body.read(_Fields)
    if not fields.documents:
        raise Unprocessable("documents: must not be empty", param="documents")
    _check_texts([fields.query, *fields.documents])
    return RerankRequest(
        body=body,
        model=requested_model(fields.model),
        endpoint="/v1/rerank",
        operation="rerank",
        user=fields.user,
        has_user=False,
        query_bytes=_text_bytes(fields.query),
        document_bytes=tuple(_text_bytes(document) for document in fields.documents),
    )


def _check_texts(items: Iterable[Any]) -> None:
    for item in items:
        if not (isinstance(item, str) or (isinstance(item, dict) and _holds_texts(item))):
            raise Unpriceable(
                "Only texts can be priced here, as strings or as objects of them: what else a "
                "document holds, such as a picture, has no known size"
            )


def _holds_texts(document: dict[str, Any]) -> bool:
    """No list or object within may hold a picture, which vLLM takes as a list under `content`."""
    is_flat = not any(isinstance(value, dict | list) for value in document.values())
    return is_flat and not _NOT_TEXT & document.keys()


def _text_bytes(item: Any) -> int:
    if isinstance(item, str):
        return len(item.encode(errors="surrogatepass"))
    return len(msgspec.json.encode(item))
