"""Embeddings: texts or tokens in, bounded by their length, and each endpoint's own names."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.openai_embeddings import EmbeddingsRequest, parse_embeddings
from bursar.dialects.request import Terms
from bursar.domain.errors import Unpriceable, Unprocessable

_VOYAGE = Terms(
    "voyage-3-large",
    renamed_fields={"dimensions": "output_dimension"},
    dropped_fields=frozenset({"encoding_format"}),
)


def _parse(given: Any, **more: Any) -> EmbeddingsRequest:
    return parse_embeddings(msgspec.json.encode({"model": "openai:m", "input": given} | more))


def _tokens(given: Any) -> int:
    return _parse(given).bound(None, 1).input_tokens


def test_everything_but_the_model_keeps_its_bytes() -> None:
    raw = b'{"model":"openai:m","input":["\\u00e9",[1, 2]],"later":[1.0]}'
    assert parse_embeddings(raw).rewritten(Terms("m")) == raw.replace(b"openai:", b"")


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        (None, b'{"model":"voyage-3-large","input":"a","output_dimension":256}'),
        ("float", b'{"model":"voyage-3-large","input":"a","output_dimension":256}'),
        (
            "base64",
            (
                b'{"model":"voyage-3-large","input":"a","output_dimension":256,'
                b'"encoding_format":"base64"}'
            ),
        ),
    ],
)
def test_an_endpoint_gets_its_own_names_and_no_default_that_it_refuses(
    encoding: str | None, sent: bytes
) -> None:
    more = {} if encoding is None else {"encoding_format": encoding}
    assert _parse("a", dimensions=256, **more).rewritten(_VOYAGE) == sent


@given(st.lists(st.text(max_size=30), min_size=1, max_size=9))
def test_texts_have_no_more_tokens_than_bytes(texts: list[str]) -> None:
    assert _tokens(texts) >= sum(len(text.encode()) for text in texts)


def test_tokens_are_counted_as_such() -> None:
    assert _tokens([1, 2, 3]) == 3
    assert 3 <= _tokens([[1, 2], [3]]) <= 11


def test_nothing_shortens_the_answer_of_which_there_is_none() -> None:
    bound = _parse("a").bound(None, 1)
    assert (bound.output_tokens, bound.takes_output_limit) == (0, False)


@pytest.mark.parametrize("name", ["inputs", "images", "image", "videos"])
def test_other_input_than_text_has_no_price(name: str) -> None:
    with pytest.raises(Unpriceable, match="Only texts"):
        _parse("a", **{name: ["data:image/png;base64,AAAA"]}).bound(None, 1)


def test_a_picture_among_the_texts_has_no_price() -> None:
    with pytest.raises(Unpriceable, match="send texts as strings"):
        _parse([{"image": "https://a.example/a.png"}])


@pytest.mark.parametrize("given", ["", [], None, 7, [1.5], [True], [["a"]], [[True]], [None]])
def test_what_is_neither_text_nor_tokens_is_refused(given: Any) -> None:
    with pytest.raises(Unprocessable, match="input"):
        _parse(given)


def test_a_request_is_the_decoded_body_for_translators() -> None:
    request = _parse("a", user="alice")
    assert request.document() == {"model": "openai:m", "input": "a", "user": "alice"}
    assert (request.user, request.operation, request.endpoint) == (
        "alice",
        "embeddings",
        "/v1/embeddings",
    )
