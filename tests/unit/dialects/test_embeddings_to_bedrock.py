"""Embeddings on Bedrock: what its models are sent, and their answers as OpenAI's."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.embeddings_to_bedrock.cohere import EmbeddingsToCohere
from bursar.dialects.embeddings_to_bedrock.nova import EmbeddingsToNova
from bursar.dialects.embeddings_to_bedrock.titan import EmbeddingsToTitan
from bursar.dialects.openai_embeddings import parse_embeddings
from bursar.dialects.passages import passage_to
from bursar.dialects.request import Terms
from bursar.dialects.translator import Asked, Untranslatable
from bursar.domain.errors import UpstreamBroken

if TYPE_CHECKING:
    from bursar.dialects.embeddings_to_bedrock.inputs import Embeddings
    from bursar.dialects.passage import Passage

_WIRE = Path(__file__).parents[3] / "events" / "wire"
_KINDS: list[type[Embeddings]] = [EmbeddingsToTitan, EmbeddingsToCohere, EmbeddingsToNova]
_ONE_INPUT = [EmbeddingsToTitan, EmbeddingsToNova]


def _asked(model: str = "bedrock:amazon.titan-embed-text-v2:0") -> Asked:
    return Asked(model, wants_usage=False, created_s=0)


def _sent(kind: type[Any], model: str = "bedrock:m", **fields: Any) -> dict[str, Any]:
    document = {"model": model, "input": "a"} | fields
    sent: dict[str, Any] = kind(_asked(model)).request(document)
    return sent


def _refused(kind: type[Any], **fields: Any) -> Untranslatable:
    with pytest.raises(Untranslatable) as caught:
        _sent(kind, **fields)
    return caught.value


def test_titan_is_sent_a_text_and_how_long_its_vector_is() -> None:
    assert _sent(EmbeddingsToTitan, dimensions=256, normalize=False, user="alice") == {
        "inputText": "a",
        "dimensions": 256,
        "normalize": False,
    }
    assert _sent(EmbeddingsToTitan, "bedrock:amazon.titan-embed-image-v1", dimensions=384) == {
        "inputText": "a",
        "embeddingConfig": {"outputEmbeddingLength": 384},
    }


def test_titans_kind_is_known_behind_an_alias_too() -> None:
    asked = Asked("pictures", wants_usage=False, created_s=0, upstream_model="titan-embed-image-v1")
    translator = EmbeddingsToTitan(asked)
    assert translator.request({"model": "pictures", "input": "a", "dimensions": 384}) == {
        "inputText": "a",
        "embeddingConfig": {"outputEmbeddingLength": 384},
    }
    assert translator.answer({"embedding": [0.5]})["model"] == "pictures"


def test_cohere_is_sent_all_texts_and_what_they_are_for() -> None:
    assert _sent(EmbeddingsToCohere, input=["a", "b"], dimensions=512, truncate="RIGHT") == {
        "texts": ["a", "b"],
        "input_type": "search_document",
        "truncate": "RIGHT",
        "output_dimension": 512,
    }
    assert _sent(EmbeddingsToCohere, input_type="search_query")["input_type"] == "search_query"


def test_nova_is_sent_a_text_with_its_purpose() -> None:
    assert _sent(EmbeddingsToNova, input=["a"], dimensions=1024) == {
        "taskType": "SINGLE_EMBEDDING",
        "singleEmbeddingParams": {
            "embeddingPurpose": "GENERIC_INDEX",
            "embeddingDimension": 1024,
            "text": {"truncationMode": "NONE", "value": "a"},
        },
    }
    params = _sent(EmbeddingsToNova, embedding_purpose="TEXT_RETRIEVAL", truncation_mode="END")
    assert params["singleEmbeddingParams"]["embeddingPurpose"] == "TEXT_RETRIEVAL"
    assert params["singleEmbeddingParams"]["text"]["truncationMode"] == "END"


@pytest.mark.parametrize("kind", _ONE_INPUT)
def test_a_model_of_one_input_a_request_refuses_more(kind: type[Any]) -> None:
    refusal = _refused(kind, input=["a", "b"])
    assert refusal.param == "input"
    assert "one request for each" in refusal.message


@pytest.mark.parametrize("kind", _KINDS)
def test_tokens_are_refused_with_a_remedy(kind: type[Any]) -> None:
    for tokens in ([1, 2], [[1, 2]]):
        refusal = _refused(kind, input=tokens)
        assert refusal.param == "input"
        assert "check_embedding_ctx_length=False" in refusal.message


@pytest.mark.parametrize("kind", _KINDS)
def test_nothing_is_dropped_in_silence(kind: type[Any]) -> None:
    assert _refused(kind, later=1).param == "later"
    assert _refused(kind, encoding_format="int8").param == "encoding_format"


@pytest.mark.parametrize("kind", _KINDS)
def test_embeddings_do_not_stream(kind: type[Any]) -> None:
    with pytest.raises(UpstreamBroken):
        kind(_asked()).stream()


_ANSWERS: list[tuple[str, str, list[list[float]], int]] = [
    ("titan_embeddings", "v2", [[0.5, -0.25]], 6),
    ("cohere_embeddings", "v3", [[0.5, -0.25], [0.125, 1.0]], 0),
    ("cohere_embeddings", "v4-by-type", [[0.5, -0.25], [0.125, 1.0]], 0),
    ("nova_embeddings", "text", [[0.5, -0.25]], 0),
]


def _passage(operation: str, **fields: Any) -> Passage:
    raw = msgspec.json.encode({"model": "bedrock:m", "input": "a"} | fields)
    passage = passage_to(parse_embeddings(raw), (operation,), _asked("bedrock:m"))
    assert passage is not None
    return passage


@pytest.mark.parametrize(("operation", "case", "vectors", "tokens"), _ANSWERS)
def test_an_answer_is_openais_with_every_vector_in_its_place(
    operation: str, case: str, vectors: list[list[float]], tokens: int
) -> None:
    answer = json.loads((_WIRE / operation / f"{case}.json").read_text())["answer"]
    passage = _passage(operation)
    passage.body(Terms("m"))
    told = json.loads(passage.whole(json.dumps(answer).encode()))
    assert told == {
        "object": "list",
        "model": "bedrock:m",
        "data": [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20))
def test_base64_is_little_endian_floats_of_four_bytes(vector: list[float]) -> None:
    passage = _passage("titan_embeddings", encoding_format="base64")
    passage.body(Terms("m"))
    told = json.loads(passage.whole(json.dumps({"embedding": vector}).encode()))
    packed = base64.b64decode(told["data"][0]["embedding"])
    assert list(struct.unpack(f"<{len(vector)}f", packed)) == vector


def test_the_models_name_is_in_no_body_and_the_endpoints_own_fields_are() -> None:
    terms = Terms("m", added_fields={"embeddingTypes": ["float"]})
    sent = json.loads(_passage("titan_embeddings").body(terms))
    assert sent == {"inputText": "a", "embeddingTypes": ["float"]}


@pytest.mark.parametrize("number", [b'"one"', b"1e300", b"null"])
def test_numbers_that_are_none_cannot_be_packed(number: bytes) -> None:
    passage = _passage("titan_embeddings", encoding_format="base64")
    passage.body(Terms("m"))
    with pytest.raises(UpstreamBroken):
        passage.whole(b'{"embedding":[' + number + b"]}")


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("titan_embeddings", b"{}"),
        ("titan_embeddings", b'{"embedding":7}'),
        ("titan_embeddings", b"no json"),
        ("cohere_embeddings", b'{"embeddings":{"int8":[[1]]}}'),
        ("cohere_embeddings", b'{"embeddings":7}'),
        ("nova_embeddings", b'{"embeddings":[]}'),
    ],
)
def test_an_answer_that_makes_no_sense_is_broken(operation: str, body: bytes) -> None:
    passage = _passage(operation)
    passage.body(Terms("m"))
    with pytest.raises(UpstreamBroken):
        passage.whole(body)
