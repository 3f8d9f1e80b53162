"""Moderations and rankings: texts that are classified or sorted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.passed.moderations import ModerationRequest, parse_moderation
from bursar.dialects.passed.rerank import RerankRequest, parse_rerank
from bursar.dialects.request import Terms
from bursar.domain.errors import Unpriceable, Unprocessable
from bursar.domain.price_rates import Unit
from bursar.domain.pricing import quote
from bursar.domain.usage import TokenUsage
from tests.unit.dialects.passed.prices import FREE, by_the_piece, by_tokens

JSON = "application/json"


def _moderation(given: Any) -> ModerationRequest:
    body = {"model": "openai:omni-moderation-latest", "input": given}
    return parse_moderation(msgspec.json.encode(body), JSON)


def _rerank(documents: list[Any], query: Any = "who", **more: Any) -> RerankRequest:
    body = {"model": "cohere:rerank-v3.5", "query": query, "documents": documents} | more
    return parse_rerank(msgspec.json.encode(body), JSON)


def test_a_moderation_goes_on_as_it_came_but_for_who_pays() -> None:
    raw = b'{"model":"openai:omni","input":["a"],"user":"alice"}'
    request = parse_moderation(raw, "")
    assert request.user == "alice"
    assert request.rewritten(Terms("omni")) == b'{"model":"omni","input":["a"]}'
    assert (request.operation, request.endpoint) == ("moderations", "/v1/moderations")


def test_a_free_moderation_uses_nothing_and_that_is_exact() -> None:
    request = _moderation("a")
    assert quote(request.bound(FREE, 1), FREE) == 0
    assert request.own_usage(FREE) == TokenUsage()
    assert request.own_usage(by_tokens()) is None


def test_a_moderation_with_a_price_is_bound_by_its_texts_and_pictures() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 99_999}}
    bound = _moderation([{"type": "text", "text": "é" * 50}, picture]).bound(by_tokens(), 1)
    assert bound.input_image_tokens == 16_384
    assert 100 <= bound.input_tokens - bound.input_image_tokens < 300
    assert _moderation(["é" * 50, "b"]).bound(by_tokens(), 1).input_tokens >= 101


def test_a_moderation_of_nothing_is_refused() -> None:
    empty: list[Any] = ["", []]
    for nothing in empty:
        with pytest.raises(Unprocessable, match="input"):
            _moderation(nothing)


def test_a_ranking_goes_on_as_it_came_under_its_endpoints_names() -> None:
    raw = b'{"model":"voyage:rerank-2","query":"q","documents":["a"],"top_n":3,"user":"al"}'
    request = parse_rerank(raw, JSON)
    assert request.rewritten(Terms("rerank-2", renamed_fields={"top_n": "top_k"})) == (
        b'{"model":"rerank-2","query":"q","documents":["a"],"top_k":3}'
    )
    assert (request.operation, request.endpoint) == ("rerank", "/v1/rerank")


@pytest.mark.parametrize(
    ("documents", "query", "searches"),
    [
        (["a"], "who", 1),
        (["a"] * 100, "who", 1),
        (["a"] * 101, "who", 2),
        (["a" * 490], "who", 1),
        (["a" * 4_096] * 25, "who", 3),  # nine chunks each
        (["a" * 500] * 50, "q" * 9_000, 1),  # two chunks each, whatever the query
        (["a" * 501] * 50, "q" * 9_000, 2),
    ],
)
def test_searches_are_counted_by_hundreds_of_chunks(
    documents: list[str], query: str, searches: int
) -> None:
    price = by_the_piece(Unit.RERANK_SEARCH)
    bound = _rerank(documents, query).bound(price, 1)
    assert bound.rerank_searches == searches
    assert quote(bound, price) * 100_000 == 4 * searches


@given(
    documents=st.lists(st.text(max_size=30), min_size=1, max_size=20), query=st.text(max_size=30)
)
def test_the_tokens_of_every_document_with_the_query_are_within_the_bound(
    documents: list[str], query: str
) -> None:
    bound = _rerank(documents, query).bound(by_tokens(), 1)
    most = sum(len(document.encode()) + len(query.encode()) for document in documents)
    assert bound.input_tokens >= most
    assert bound.output_tokens == 0


def test_documents_may_be_objects_of_texts() -> None:
    bound = _rerank([{"text": "é" * 40, "title": "b"}]).bound(by_tokens(), 1)
    assert bound.input_tokens >= 80


@pytest.mark.parametrize(
    ("documents", "query"),
    [
        ([{"image": "https://a.example/a.png"}], "q"),
        (["a", {"text": "b", "image_url": {"url": "u"}}], "q"),
        ([7], "q"),
        ([{"content": [{"type": "image_url", "image_url": {"url": "u"}}]}], "q"),
        ([{"content": {"image": "u"}}], "q"),
        (["a"], {"image": "u"}),
    ],
)
def test_what_is_no_text_has_no_price(documents: list[Any], query: Any) -> None:
    with pytest.raises(Unpriceable, match="Only texts"):
        _rerank(documents, query)


def test_a_ranking_of_nothing_is_refused() -> None:
    with pytest.raises(Unprocessable, match="documents"):
        _rerank([])
