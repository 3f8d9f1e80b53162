"""The official openai SDK, unmodified, through a gateway to a provider with OpenAI's API."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.e2e.deployment import MODEL, PROVIDER_KEY
from tests.fakes.scripted_content import UPSTREAM_SECRET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageParam

    from tests.e2e.deployment import Deployment, Holder
    from tests.fakes.openai_upstream import FakeOpenAI

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Grüezi!"}]


def _tool(name: str) -> ChatCompletionFunctionToolParam:
    parameters: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def _fake(**behaviour: Any) -> dict[str, Any]:
    """What tells the fake provider how to behave; no gateway knows the field."""
    return {"fake": behaviour}


def _ask_twice(client: OpenAI) -> None:
    for _ in range(2):
        client.chat.completions.create(model=MODEL, messages=HELLO)


@pytest.fixture(scope="module")
def holder(served: Deployment) -> Holder:
    return served.holder()


@pytest.fixture
def client(served: Deployment, holder: Holder) -> Iterator[OpenAI]:
    """On its default settings, two silent retries among them."""
    with OpenAI(api_key=holder.key, base_url=f"{served.gateway.url}/v1") as made:
        yield made


@pytest.fixture
async def async_client(served: Deployment, holder: Holder) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=holder.key, base_url=f"{served.gateway.url}/v1") as made:
        yield made


def test_a_completion_comes_back_with_its_text_its_usage_and_the_requests_id(
    served: Deployment, client: OpenAI, holder: Holder
) -> None:
    completion = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=3)
    assert completion.choices[0].message.content == "w0 w1 w2"
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (9, 3)
    newest = served.usage(holder)[0]
    assert newest["id"] == completion._request_id
    assert newest["total_tokens"] == 12


def test_the_provider_gets_its_own_key_and_name_of_the_model_and_nothing_of_the_callers(
    client: OpenAI, holder: Holder, upstream: FakeOpenAI
) -> None:
    client.chat.completions.create(model=MODEL, messages=HELLO)
    got = upstream.last
    assert got.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert got.json()["model"] == "fake"
    assert holder.key not in str(got.headers)
    assert not [name for name in got.headers if name.startswith("x-stainless")]


def test_an_answers_headers_tell_its_cost_and_both_names_of_its_id(client: OpenAI) -> None:
    answer = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=HELLO, max_tokens=2
    )
    assert Decimal(answer.headers["x-bursar-cost-usd"]) == Decimal("0.0000425")
    assert answer.headers["x-request-id"] == answer.headers["x-correlation-id"]


def test_a_stream_of_somebody_who_did_not_ask_for_usage_has_a_choice_in_every_chunk(
    served: Deployment, client: OpenAI, holder: Holder, upstream: FakeOpenAI
) -> None:
    with client.chat.completions.create(
        model=MODEL, messages=HELLO, max_tokens=4, stream=True
    ) as stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == "w0 w1 w2 w3 "
    assert upstream.last.json()["stream_options"] == {"include_usage": True}
    assert served.usage(holder)[0]["total_tokens"] == 13


def test_a_stream_of_somebody_who_asked_for_usage_ends_with_it(client: OpenAI) -> None:
    with client.chat.completions.create(
        model=MODEL,
        messages=HELLO,
        max_tokens=4,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        chunks = list(stream)
    assert [bool(chunk.choices) for chunk in chunks] == [True] * 6 + [False]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 4
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_streaming_helper_assembles_a_completion(client: OpenAI) -> None:
    with client.chat.completions.stream(model=MODEL, messages=HELLO, max_tokens=3) as stream:
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content == "w0 w1 w2 "
    assert completion.choices[0].finish_reason == "stop"


def test_a_tool_is_called(client: OpenAI) -> None:
    completion = client.chat.completions.create(
        model=MODEL,
        messages=HELLO,
        tools=[_tool("weather")],
        tool_choice="auto",
        parallel_tool_calls=False,
        extra_body=_fake(tool_call=True),
    )
    calls = completion.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert calls[0].function.arguments == '{"city": "Zürich"}'


def test_several_tool_calls_are_streamed_in_pieces_that_fit_together(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model=MODEL,
        messages=HELLO,
        tools=[_tool("weather"), _tool("time"), _tool("traffic")],
        extra_body=_fake(tool_call=True),
    ) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert calls is not None
    assert [call.function.name for call in calls] == ["weather", "time", "traffic"]
    assert {call.function.arguments for call in calls} == {'{"city": "Zürich"}'}


def test_embeddings_come_back_as_numbers_whichever_encoding_carried_them(
    client: OpenAI, upstream: FakeOpenAI
) -> None:
    by_default = client.embeddings.create(model=MODEL, input=["one", "two"])
    assert upstream.last.json()["encoding_format"] == "base64"
    as_floats = client.embeddings.create(model=MODEL, input=["one", "two"], encoding_format="float")
    assert upstream.last.json()["encoding_format"] == "float"
    assert len(by_default.data) == 2
    assert by_default.data[1].embedding == pytest.approx(as_floats.data[1].embedding, abs=1e-6)
    assert by_default.data[0].embedding != by_default.data[1].embedding


def test_embeddings_take_arrays_of_token_ids_and_are_charged(
    served: Deployment, client: OpenAI, holder: Holder, upstream: FakeOpenAI
) -> None:
    tokens = [[6151, 1917], [3923]]
    answer = client.embeddings.create(model=MODEL, input=tokens, dimensions=4)
    assert upstream.last.json()["input"] == tokens
    assert [len(item.embedding) for item in answer.data] == [4, 4]
    row = served.usage(holder)[0]
    assert (row["endpoint"], row["total_tokens"], row["cost"]) == ("/v1/embeddings", 9, 0.0000225)


def test_models_are_listed_and_one_is_retrieved(client: OpenAI) -> None:
    assert MODEL in [model.id for model in client.models.list()]
    model = client.models.retrieve(MODEL)
    assert (model.id, model.object, model.owned_by) == (MODEL, "model", "openai")
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("openai:nothing-of-this-name")


def test_unknown_fields_reach_the_provider_as_they_were_written_and_its_own_come_back(
    client: OpenAI, upstream: FakeOpenAI
) -> None:
    unknown = {"x_future": {"deep": [1.10, None, "ü"]}, "seed": 7, "logprobs": True}
    completion = client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=unknown)
    assert b'"x_future":{"deep":[1.1,null,"\xc3\xbc"]}' in upstream.last.body
    assert upstream.last.json()["seed"] == 7
    assert (completion.model_extra or {})["x_fake"] == {"kept": True}


async def test_the_async_client_completes_streams_and_embeds(async_client: AsyncOpenAI) -> None:
    completion = await async_client.chat.completions.create(
        model=MODEL, messages=HELLO, max_tokens=2
    )
    assert completion.choices[0].message.content == "w0 w1"
    stream = await async_client.chat.completions.create(
        model=MODEL, messages=HELLO, max_tokens=2, stream=True
    )
    async with stream:
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == "w0 w1 "
    embedded = await async_client.embeddings.create(model=MODEL, input="one")
    assert len(embedded.data[0].embedding) == 8
    assert MODEL in [model.id async for model in async_client.models.list()]


async def test_the_async_client_raises_the_same_errors(async_client: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await async_client.chat.completions.create(model="nobody:m", messages=HELLO)
    stream = await async_client.chat.completions.create(
        model=MODEL,
        messages=HELLO,
        stream=True,
        extra_body=_fake(fault="rst", fault_after=3),
    )
    async with stream:
        with pytest.raises(openai.APIError):
            [chunk async for chunk in stream]


def test_a_wrong_key_is_an_authentication_error_with_a_message(served: Deployment) -> None:
    url = f"{served.gateway.url}/v1"
    with (
        OpenAI(api_key="gw-" + "x" * 64, base_url=url) as stranger,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        stranger.chat.completions.create(model=MODEL, messages=HELLO)
    assert caught.value.code == "invalid_api_key"
    assert "Invalid API key" in str(caught.value)
    assert caught.value.request_id


def test_a_spent_budget_is_a_permission_error_that_says_what_is_left(served: Deployment) -> None:
    poor = served.holder("0.000001")
    with (
        OpenAI(api_key=poor.key, base_url=f"{served.gateway.url}/v1") as client,
        pytest.raises(openai.PermissionDeniedError) as caught,
    ):
        client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=10)
    assert caught.value.code == "budget_exceeded"
    assert f"User '{poor.user_id}' has exceeded budget limit" in str(caught.value)
    assert "$0.000001 is left" in str(caught.value)
    assert served.usage(poor) == []


@pytest.mark.parametrize(
    ("model", "kind", "says"),
    [
        ("openai:unpriced", openai.APIStatusError, (402, "model_unpriced")),
        ("nobody:model", openai.NotFoundError, (404, "model_not_found")),
        ("no-provider", openai.BadRequestError, (400, "invalid_request")),
    ],
)
def test_a_model_that_cannot_be_served_says_why_and_reaches_no_provider(
    client: OpenAI,
    upstream: FakeOpenAI,
    model: str,
    kind: type[openai.APIStatusError],
    says: tuple[int, str],
) -> None:
    before = len(upstream.requests)
    with pytest.raises(kind) as caught:
        client.chat.completions.create(model=model, messages=HELLO)
    assert (caught.value.status_code, caught.value.code) == says
    assert model.partition(":")[0] in str(caught.value)
    assert len(upstream.requests) == before


def test_malformed_fields_are_unprocessable_and_name_the_field(client: OpenAI) -> None:
    messages: Any = [{"content": "no role"}]
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.chat.completions.create(model=MODEL, messages=messages)
    assert caught.value.param == "messages[0]"
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO, extra_body={"stream": "yes"})
    assert caught.value.param == "stream"


def test_another_users_name_is_refused_and_the_keys_own_is_not(
    client: OpenAI, holder: Holder, upstream: FakeOpenAI
) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        client.chat.completions.create(model=MODEL, messages=HELLO, user="somebody-else")
    client.chat.completions.create(model=MODEL, messages=HELLO, user=holder.user_id)
    assert upstream.last.json()["user"] == holder.user_id


@pytest.mark.parametrize(
    ("status", "kind"), [(400, openai.BadRequestError), (404, openai.NotFoundError)]
)
def test_a_providers_refusal_keeps_its_status_and_its_words_and_costs_nothing(
    served: Deployment,
    client: OpenAI,
    holder: Holder,
    status: int,
    kind: type[openai.APIStatusError],
) -> None:
    with pytest.raises(kind) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=_fake(status=status))
    assert f"The fake provider answers {status}" in str(caught.value)
    row = served.usage(holder)[0]
    assert (row["status"], row["cost"]) == ("error", 0)


def test_a_providers_rate_limit_keeps_its_retry_after_and_no_try_is_charged(
    served: Deployment, upstream: FakeOpenAI
) -> None:
    holder = served.holder()
    before = len(upstream.requests)
    with (
        OpenAI(api_key=holder.key, base_url=f"{served.gateway.url}/v1") as client,
        pytest.raises(openai.RateLimitError) as caught,
    ):
        client.chat.completions.create(
            model=MODEL, messages=HELLO, extra_body=_fake(status=429, retry_after="0.05")
        )
    assert caught.value.response.headers["retry-after"] == "0.05"
    # The SDK tries three times, and the gateway each of them twice.
    assert len(upstream.requests) - before == 6
    assert [row["cost"] for row in served.usage(holder)] == [0, 0, 0]
    served.check_closed(holder)


def test_the_gateways_own_rate_limit_says_when_to_come_back(
    served: Deployment, upstream: FakeOpenAI
) -> None:
    holder = served.holder(key={"rate_limit_rpm": 1})
    before = len(upstream.requests)
    with OpenAI(api_key=holder.key, base_url=f"{served.gateway.url}/v1", max_retries=0) as client:
        answer = client.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
        assert answer.headers["x-ratelimit-limit"] == "1"
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert int(answer.headers["x-ratelimit-reset"]) > 1_700_000_000
        with pytest.raises(openai.RateLimitError) as caught:
            _ask_twice(client)  # a new minute may begin between the first two
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60
    assert caught.value.code == "rate_limit_exceeded"
    assert len(upstream.requests) - before <= 2


def test_a_refused_provider_key_stays_401_and_says_whose_key_it_was(
    client: OpenAI, upstream: FakeOpenAI
) -> None:
    before = len(upstream.requests)
    with pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=_fake(status=401))
    assert caught.value.code == "provider_authentication"
    assert UPSTREAM_SECRET not in caught.value.response.text
    assert len(upstream.requests) - before == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_providers_failure_is_a_bad_gateway_that_repeats_nothing_it_said(
    served: Deployment, client: OpenAI, holder: Holder, status: int
) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.with_options(max_retries=0).chat.completions.create(
            model=MODEL, messages=HELLO, extra_body=_fake(status=status)
        )
    assert caught.value.status_code == 502
    assert UPSTREAM_SECRET not in caught.value.response.text
    assert "leaks" not in caught.value.response.text
    assert served.usage(holder)[0]["cost"] == 0


def test_a_providers_refusal_of_the_gateways_key_is_not_blamed_on_the_callers(
    client: OpenAI, upstream: FakeOpenAI
) -> None:
    before = len(upstream.requests)
    with pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=_fake(status=401))
    assert "your own key is fine" in str(caught.value)
    assert UPSTREAM_SECRET not in caught.value.response.text
    assert len(upstream.requests) - before == 1


@pytest.mark.parametrize("fault", ["rst", "fin"])
def test_an_answer_that_broke_off_is_not_silently_asked_for_again(
    served: Deployment, client: OpenAI, holder: Holder, upstream: FakeOpenAI, fault: str
) -> None:
    before = len(upstream.requests)
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(
            model=MODEL, messages=HELLO, extra_body=_fake(fault=fault, fault_after=20)
        )
    assert caught.value.status_code == 502
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(upstream.requests) - before == 1
    assert served.usage(holder)[0]["cost"] > 0


@pytest.mark.parametrize("fault", ["rst", "fin", "no_done", "error_event"])
def test_a_stream_that_breaks_off_raises_after_the_chunks_that_came(
    client: OpenAI, upstream: FakeOpenAI, fault: str
) -> None:
    before = len(upstream.requests)
    texts: list[str | None] = []
    stream = client.chat.completions.create(
        model=MODEL,
        messages=HELLO,
        max_tokens=6,
        stream=True,
        extra_body=_fake(fault=fault, fault_after=4),
    )
    with stream, pytest.raises(openai.APIError) as caught:
        texts.extend(chunk.choices[0].delta.content for chunk in stream)
    assert texts[:4] == ["", "w0 ", "w1 ", "w2 "]
    assert not isinstance(caught.value, openai.APIStatusError)
    assert UPSTREAM_SECRET not in str(caught.value)
    assert len(upstream.requests) - before == 1


def test_a_stream_that_fails_before_its_first_chunk_is_an_http_error(client: OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(
            model=MODEL,
            messages=HELLO,
            stream=True,
            extra_body=_fake(fault="rst", fault_after=0),
        )
    assert caught.value.status_code == 502


def test_a_clients_own_timeout_raises_and_the_books_close_all_the_same(
    served: Deployment, upstream: FakeOpenAI
) -> None:
    holder = served.holder()
    with (
        OpenAI(
            api_key=holder.key, base_url=f"{served.gateway.url}/v1", timeout=1.5, max_retries=0
        ) as client,
        pytest.raises(openai.APITimeoutError),
    ):
        client.chat.completions.create(model=MODEL, messages=HELLO, extra_body=_fake(delay_s=2))
    assert upstream.wait_until(lambda: served.usage(holder) != [])
    assert upstream.wait_until(lambda: served.account(holder).holds == ())
    assert served.usage(holder)[0]["cost"] > 0
    served.check_closed(holder)
