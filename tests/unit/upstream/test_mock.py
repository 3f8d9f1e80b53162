from __future__ import annotations

import base64
import json
import math
import struct
import time
from typing import Any

import pytest

from bursar.domain.upstream import UpstreamRequest
from bursar.upstream.mock import MOCK_TARGET, MockAnswer, MockUpstream

MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Hello there"}]},
]


async def send(path: str, body: object, *, word_delay_s: float = 0.0) -> MockAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = UpstreamRequest("mock", f"{MOCK_TARGET.base_url}{path}", {}, raw)
    return await MockUpstream(word_delay_s).send(request)


async def json_of(answer: MockAnswer) -> Any:
    return json.loads(b"".join([chunk async for chunk in answer.chunks()]))


async def chat(**fields: Any) -> Any:
    body = {"model": "echo", "messages": MESSAGES, **fields}
    return await json_of(await send("/chat/completions", body))


async def events(**fields: Any) -> list[Any]:
    body = {"model": "echo", "messages": MESSAGES, "stream": True, **fields}
    answer = await send("/chat/completions", body)
    assert answer.headers["content-type"] == "text/event-stream"
    text = b"".join([chunk async for chunk in answer.chunks()]).decode()
    frames = text.split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    return [json.loads(frame.removeprefix("data: ")) for frame in frames[:-2]]


async def test_an_answer_says_whose_it_is_and_what_was_said() -> None:
    body = await chat()
    [choice] = body["choices"]
    assert choice["message"]["content"] == (
        "This answer comes from Bursar's mock provider, which needs no key. You said: Hello there"
    )
    assert choice["finish_reason"] == "stop"
    assert (body["object"], body["model"]) == ("chat.completion", "echo")


async def test_usage_counts_the_words_of_the_answer_and_a_quarter_of_the_prompts_bytes() -> None:
    usage = (await chat())["usage"]
    assert usage == {"prompt_tokens": 6, "completion_tokens": 15, "total_tokens": 21}


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
async def test_an_answer_stops_at_its_limit_and_says_so(limit: str) -> None:
    body = await chat(**{limit: 3})
    assert body["choices"][0]["message"]["content"] == "This answer comes"
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 3


async def test_a_limit_that_is_not_reached_changes_nothing() -> None:
    assert (await chat(max_tokens=15)) == {**await chat(), "created": pytest.approx(time.time(), 2)}


async def test_several_choices_are_answered_and_billed() -> None:
    body = await chat(n=3, max_tokens=2)
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert body["usage"]["completion_tokens"] == 6


async def test_a_stream_is_the_same_answer_word_by_word() -> None:
    chunks = await events()
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert said == (await chat())["choices"][0]["message"]["content"]
    assert len(chunks) == 17
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[-2:]] == [None, "stop"]
    assert all("usage" not in chunk for chunk in chunks)


async def test_a_stream_reports_usage_to_who_asks() -> None:
    *before, last = await events(stream_options={"include_usage": True}, max_tokens=4)
    assert all(chunk["usage"] is None for chunk in before)
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 4
    assert before[-1]["choices"][0]["finish_reason"] == "length"


async def test_a_stream_takes_its_time_and_ends_when_closed() -> None:
    body = {"model": "echo", "messages": MESSAGES, "stream": True}
    answer = await send("/chat/completions", body, word_delay_s=0.02)
    chunks = answer.chunks()
    started = time.monotonic()
    for _ in range(4):
        await anext(chunks)
    assert time.monotonic() - started >= 0.06
    await answer.close()
    await answer.close()
    assert [chunk async for chunk in chunks] == []


async def test_a_long_question_is_not_quoted_in_full() -> None:
    body = await chat(messages=[{"role": "user", "content": "word " * 5000}])
    assert body["usage"]["completion_tokens"] < 250
    assert body["choices"][0]["message"]["content"].endswith("word …")


async def test_embeddings_are_unit_vectors_that_depend_on_the_text_alone() -> None:
    first = await json_of(await send("/embeddings", {"model": "e", "input": "same"}))
    again = await json_of(await send("/embeddings", {"model": "e", "input": ["same", "other"]}))
    vectors = [one["embedding"] for one in again["data"]]
    assert first["data"][0]["embedding"] == vectors[0] != vectors[1]
    assert len(vectors[0]) == 1536
    assert math.hypot(*vectors[0]) == pytest.approx(1, abs=1e-4)
    assert again["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


async def test_embeddings_have_as_many_dimensions_as_asked_in_the_asked_encoding() -> None:
    asked = {"model": "e", "input": [[1, 2, 3]], "dimensions": 4}
    plain = await json_of(await send("/embeddings", asked))
    packed = await json_of(await send("/embeddings", {**asked, "encoding_format": "base64"}))
    floats = struct.unpack("<4f", base64.b64decode(packed["data"][0]["embedding"]))
    assert plain["data"][0]["embedding"] == pytest.approx(floats, abs=1e-6)
    assert plain["usage"]["prompt_tokens"] == 3


async def test_token_ids_are_one_input() -> None:
    body = await json_of(await send("/embeddings", {"model": "e", "input": [1, 2, 3]}))
    assert len(body["data"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/chat/completions", b"{", 400),
        ("/chat/completions", {"model": "m"}, 400),
        ("/chat/completions", [], 400),
        ("/embeddings", {"model": "m", "input": "x", "dimensions": 10**9}, 400),
        ("/responses", {"model": "m"}, 404),
    ],
)
async def test_what_it_does_not_understand_is_an_error_in_openais_shape(
    path: str, body: object, status: int
) -> None:
    answer = await send(path, body)
    assert answer.status == status
    assert (await json_of(answer))["error"]["type"] == "invalid_request_error"
