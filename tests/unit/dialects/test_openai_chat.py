from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bursar.dialects.openai_chat import ChatRequest, parse_chat
from bursar.dialects.request import Terms
from bursar.domain.errors import BursarError, InvalidRequest, Unpriceable, Unprocessable
from bursar.domain.pricing import Bound, Price

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _parse(**fields: Any) -> ChatRequest:
    content = {"model": "openai:m", "messages": [{"role": "user", "content": "hello"}]}
    return parse_chat(msgspec.json.encode(content | fields))


def _price(**limits: Any) -> Price:
    return Price("openai:m", Decimal(1), Decimal(1), _NOW, _NOW, **limits)


def _bound(price: Price | None = None, **fields: Any) -> Bound:
    return _parse(**fields).bound(price or _price(), 16_384)


def _rewritten(raw: bytes, *, model: str = "gpt", **terms: Any) -> bytes:
    return parse_chat(raw).rewritten(Terms(model, **terms))


def test_everything_but_the_model_keeps_its_bytes() -> None:
    raw = (
        b'{ "temperature": 0.10, "model":"openai/gpt", "messages": [ {"role":"user",'
        b'"content":"\\u00e9 \xd0\xba"} ], "big": 12345678901234567890.5e3 }'
    )
    assert _rewritten(raw) == (
        b'{"temperature":0.10,"model":"gpt","messages":[ {"role":"user",'
        b'"content":"\\u00e9 \xd0\xba"} ],"big":12345678901234567890.5e3}'
    )


def test_a_stream_asks_for_usage_and_keeps_its_other_options() -> None:
    raw = b'{"model":"a:b","messages":[{"role":"user"}],"stream":true,"stream_options":{"x":1}}'
    sent = msgspec.json.decode(_rewritten(raw))
    assert sent["stream_options"] == {"x": 1, "include_usage": True}


def test_a_provider_without_stream_options_is_not_sent_any() -> None:
    raw = b'{"model":"a:b","messages":[{"role":"user"}],"stream":true}'
    assert b"stream_options" not in _rewritten(raw, streams_usage=False)


def test_an_imposed_limit_replaces_the_fields_that_are_there() -> None:
    raw = b'{"model":"a:b","messages":[{"role":"user"}],"max_completion_tokens":9}'
    sent = msgspec.json.decode(_rewritten(raw, output_tokens=5))
    assert sent["max_completion_tokens"] == 5
    assert "max_tokens" not in sent


def test_an_imposed_limit_goes_into_the_providers_field_where_none_is_there() -> None:
    raw = b'{"model":"a:b","messages":[{"role":"user"}],"max_tokens":null}'
    sent = msgspec.json.decode(_rewritten(raw, output_tokens=5, limit_field="max_new"))
    assert (sent["max_new"], sent["max_tokens"]) == (5, None)


@pytest.mark.parametrize(
    ("fields", "kind", "says"),
    [
        ({"messages": []}, Unprocessable, "at least one message"),
        ({"messages": [{"content": "x"}]}, Unprocessable, "messages[0]: 'role' is required"),
        ({"messages": "x"}, Unprocessable, "messages"),
        ({"model": 5}, Unprocessable, "model"),
        ({"model": ":gpt-4o"}, InvalidRequest, "must name its provider"),
        ({"max_tokens": 0}, InvalidRequest, "'max_tokens' must be at least 1"),
        ({"n": -1}, InvalidRequest, "'n' must be at least 1"),
        ({"max_tokens": 10**40}, InvalidRequest, "'max_tokens' must be at most 1000000000"),
        ({"stream": "yes"}, Unprocessable, "stream"),
    ],
)
def test_bad_fields_are_refused_by_name(
    fields: dict[str, Any], kind: type[BursarError], says: str
) -> None:
    with pytest.raises(kind) as refused:
        _parse(**fields)
    assert says in refused.value.message


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{", b'"x"', b"\xff\xfe", b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"]
)
def test_a_body_that_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_chat(raw)


def test_input_is_bounded_by_bytes_and_not_by_a_quarter_of_them() -> None:
    text = "ጠ" * 1_000
    assert _bound(messages=[{"role": "user", "content": text}]).input_tokens >= 3_000


def test_input_is_bounded_by_the_context_window() -> None:
    text = "x" * 10_000
    message = [{"role": "user", "content": text}]
    assert _bound(_price(context_window_tokens=4_096), messages=message).input_tokens == 4_096


def test_inlined_images_count_as_images_and_not_as_text() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    bound = _bound(messages=[{"role": "user", "content": [image, image]}])
    assert 2 * 16_384 <= bound.input_tokens < 2 * 16_384 + 1_000


def test_the_model_that_inflates_images_is_bounded_by_its_own_cap() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    message = [{"role": "user", "content": [image]}]
    assert _bound(model="openai:gpt-4o-mini", messages=message).input_tokens > 48_000


def test_a_file_is_bounded_by_the_context_window_or_not_at_all() -> None:
    message = [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]
    with pytest.raises(Unpriceable, match="context_window_tokens"):
        _bound(messages=message)
    assert _bound(_price(context_window_tokens=8_192), messages=message).input_tokens == 8_192


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": ["function"]}]},
        {"messages": [{"role": "user", "content": [{"type": {"text": "x"}}]}]},
        {"models": ["other"]},
        {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
    ],
)
def test_what_no_token_price_covers_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Unpriceable):
        _bound(**fields)


@pytest.mark.parametrize(
    ("fields", "limits", "output"),
    [
        ({"max_tokens": 5}, {}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 7}, {}, 7),
        ({"max_tokens": 500}, {"max_output_tokens": 100}, 100),
        ({}, {"max_output_tokens": 100}, 100),
        ({}, {}, 16_384),
    ],
)
def test_output_is_bounded_by_what_is_declared_and_what_the_model_can(
    fields: dict[str, Any], limits: dict[str, int], output: int
) -> None:
    assert _bound(_price(**limits), **fields).output_tokens == output


def test_several_answers_and_a_prediction_count_as_output() -> None:
    prediction = {"type": "content", "content": "x" * 50}
    bound = _bound(max_tokens=10, n=3, prediction=prediction)
    assert bound.output_tokens_total >= 30 + 50


def test_an_endpoints_quirks_are_applied_and_all_else_keeps_its_bytes() -> None:
    raw = (
        b'{"model":"a:b","messages":[{"role":"user"}],"seed":7,"max_completion_tokens":9,'
        b'"store":true,"x":0.10}'
    )
    sent = _rewritten(
        raw,
        renamed_fields={"max_completion_tokens": "max_tokens", "seed": "random_seed"},
        dropped_fields=frozenset({"store"}),
        added_fields={"safe_prompt": False},
    )
    assert sent == (
        b'{"model":"gpt","messages":[{"role":"user"}],"random_seed":7,"max_tokens":9,'
        b'"x":0.10,"safe_prompt":false}'
    )


def test_a_field_that_is_there_under_both_names_is_sent_once() -> None:
    raw = b'{"model":"a:b","messages":[{"role":"user"}],"max_tokens":5,"max_completion_tokens":9}'
    sent = _rewritten(raw, renamed_fields={"max_completion_tokens": "max_tokens"})
    assert sent == b'{"model":"gpt","messages":[{"role":"user"}],"max_tokens":5}'


@pytest.mark.parametrize(
    "fields",
    [
        b'"max_completion_tokens":9,"max_tokens":null',
        b'"max_tokens":null,"max_completion_tokens":9',
        b'"max_tokens":9,"max_completion_tokens":null',
        b'"max_completion_tokens":null,"max_tokens":9',
    ],
)
def test_a_null_under_one_name_does_not_undo_the_limit_under_the_other(fields: bytes) -> None:
    raw = b'{"model":"a:b","messages":[{"role":"user"}],' + fields + b"}"
    sent = _rewritten(raw, renamed_fields={"max_completion_tokens": "max_tokens"})
    assert sent == b'{"model":"gpt","messages":[{"role":"user"}],"max_tokens":9}'


@pytest.mark.parametrize(
    ("fields", "stated"),
    [
        ({"web_search_options": {}}, {"web_searches": 1}),
        ({"service_tier": "priority"}, {"service_tier": "priority"}),
        ({"modalities": ["text", "audio"]}, {"generates_audio": True}),
        ({"audio": {"voice": "alloy"}}, {"generates_audio": True}),
        ({"modalities": ["image", "text"]}, {"generates_images": True}),
        ({"tools": [{"type": "function", "cache_control": {}}]}, {"writes_cache": True}),
        ({"cache_control": {"ttl": "1h"}}, {"writes_cache": True, "writes_cache_1h": True}),
    ],
)
def test_what_has_a_rate_of_its_own_is_stated_in_the_bound(
    fields: dict[str, Any], stated: dict[str, Any]
) -> None:
    bound = _bound(**fields)
    assert {name: getattr(bound, name) for name in stated} == stated


@pytest.mark.parametrize(
    ("audio_format", "least", "most"), [("mp3", 3_000, 4_000), ("opus", 90_000, 100_000)]
)
def test_inlined_audio_is_bounded_by_the_lowest_bitrate_of_its_format(
    audio_format: str, least: int, most: int
) -> None:
    audio = {"type": "input_audio", "input_audio": {"data": "A" * 128_000, "format": audio_format}}
    bound = _bound(messages=[{"role": "user", "content": [audio]}])
    assert least < bound.input_audio_tokens < most
    assert bound.input_audio_tokens < bound.input_tokens < bound.input_audio_tokens + 1_000


def test_an_escaped_name_hides_no_write_to_a_cache() -> None:
    raw = (
        b'{"model":"a:b","messages":[{"role":"user","content":[{"type":"text","text":"x",'
        b'"cache\\u005fcontrol":{"type":"ephemeral","ttl":"\\u0031h"}}]}]}'
    )
    bound = parse_chat(raw).bound(None, 16_384)
    assert (bound.writes_cache, bound.writes_cache_1h) == (True, True)


def test_a_schema_for_the_answer_is_explained_to_the_model_by_a_prompt_that_counts() -> None:
    plain = _bound().input_tokens
    assert _bound(response_format={"type": "json_object"}).input_tokens > plain + 1_000
