"""The fake provider is one that OpenAI's own SDK takes for real, and does what it is told."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import openai
import pytest

from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_upstream import FakeOpenAI
from tests.fakes.scripted_content import UPSTREAM_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

SAID: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hi"}]
TOOL: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as started:
        yield started


@pytest.fixture
def client(fake: FakeOpenAI) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=fake.base_url, api_key="sk-test", max_retries=0) as made:
        yield made


def test_usage_is_exactly_what_was_scripted(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="exact-100", messages=SAID, max_tokens=7, n=2)
    assert done.usage is not None
    assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (100, 14)
    assert [choice.message.content for choice in done.choices] == ["w0 w1 w2 w3 w4 w5 w6"] * 2


def test_a_stream_reports_usage_in_a_chunk_of_its_own_when_asked(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="exact-100",
        messages=SAID,
        max_completion_tokens=3,
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = list(stream)
    assert "".join(one.choices[0].delta.content or "" for one in chunks) == "w0 w1 w2 "
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens == 3


@pytest.mark.parametrize(("model", "reports"), [("nousage", 0), ("usageinlast", 1), ("m", 0)])
def test_usage_may_be_missing_or_in_the_last_chunk(
    client: openai.OpenAI, model: str, reports: int
) -> None:
    stream = client.chat.completions.create(model=model, messages=SAID, stream=True)
    assert sum(chunk.usage is not None for chunk in stream) == reports


def test_a_tool_is_called_in_one_piece_or_in_many(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="tools", messages=SAID, tools=[TOOL])
    calls = whole.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert json.loads(calls[0].function.arguments) == {"city": "Zürich"}
    stream = client.chat.completions.create(model="tools", messages=SAID, tools=[TOOL], stream=True)
    pieces = [call for one in stream for call in one.choices[0].delta.tool_calls or []]
    arguments = "".join(one.function.arguments or "" for one in pieces if one.function)
    assert json.loads(arguments) == {"city": "Zürich"}


def test_embeddings_are_the_same_in_both_encodings(client: openai.OpenAI) -> None:
    packed = client.embeddings.create(model="e", input=["a", "b"], dimensions=3)
    plain = client.embeddings.create(
        model="e", input=["a", "b"], dimensions=3, encoding_format="float"
    )
    assert len(packed.data) == 2
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
def test_errors_are_openais_and_hold_the_canary(
    client: openai.OpenAI, status: int, error: type[openai.APIStatusError]
) -> None:
    with pytest.raises(error, match=UPSTREAM_SECRET) as raised:
        client.chat.completions.create(model=f"error-{status}+retryafter-3", messages=SAID)
    assert raised.value.response.headers["retry-after"] == "3"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rst-2", openai.APIConnectionError),
        ("fin-2", openai.APIConnectionError),
        ("errorevent-2", openai.APIError),
    ],
)
def test_a_stream_that_goes_wrong_is_an_error_to_the_sdk(
    client: openai.OpenAI, fault: str, error: type[openai.APIError]
) -> None:
    stream = client.chat.completions.create(model=fault, messages=SAID, stream=True)
    assert next(iter(stream)).choices[0].delta.role == "assistant"
    with pytest.raises(error):
        list(stream)


def test_a_stream_without_its_terminal_event_ends_well_for_the_transport(
    client: openai.OpenAI,
) -> None:
    stream = client.chat.completions.create(model="nodone", messages=SAID, stream=True)
    assert list(stream)[-1].choices[0].finish_reason == "stop"


def test_a_reader_that_leaves_is_recorded(client: openai.OpenAI, fake: FakeOpenAI) -> None:
    stream = client.chat.completions.create(model="words-50+slow-0.01", messages=SAID, stream=True)
    next(iter(stream))
    stream.close()
    assert fake.wait_until(lambda: fake.last.disconnected)
    assert not fake.last.finished


def test_a_test_can_script_any_model_and_any_request(
    client: openai.OpenAI, fake: FakeOpenAI
) -> None:
    fake.behaviours["gpt-4o"] = Behaviour(prompt_tokens=1, completion_tokens=2, cached_tokens=1)
    by_model = client.chat.completions.create(model="gpt-4o", messages=SAID)
    assert by_model.usage is not None
    assert by_model.usage.total_tokens == 3
    by_field = client.chat.completions.create(
        model="o3", messages=SAID, extra_body={"fake": {"prompt_tokens": 77}}
    )
    assert by_field.usage is not None
    assert by_field.usage.prompt_tokens == 77


def test_as_a_process_it_tells_what_arrived() -> None:
    command = [sys.executable, "-m", "tests.fakes.openai_upstream", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        try:
            with openai.OpenAI(base_url=base_url, api_key="sk-test") as client:
                client.chat.completions.create(model="m", messages=SAID)
            url = base_url.removesuffix("/v1") + "/_requests"
            with urllib.request.urlopen(url) as answer:  # noqa: S310 - loopback
                [seen] = json.load(answer)
        finally:
            process.terminate()
    assert seen["headers"]["authorization"] == "Bearer sk-test"
    assert json.loads(seen["body"])["model"] == "m"
    assert seen["finished"]
