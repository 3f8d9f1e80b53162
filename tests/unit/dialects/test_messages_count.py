from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bursar.dialects.messages_count import count_of, estimate_tokens, parse_count_tokens
from bursar.dialects.request import Terms
from bursar.domain.errors import InvalidRequest, Unprocessable
from bursar.domain.models import ModelName
from bursar.domain.pricing import Bound
from tests.fakes.wire_files import wire_bytes, wire_json

ENGLISH = "The quick brown fox jumps over the lazy dog. " * 100


def _estimate(content: Any, **fields: Any) -> int:
    return estimate_tokens({"messages": [{"role": "user", "content": content}], **fields})


def test_counting_costs_nothing_and_keeps_the_bytes_of_the_request() -> None:
    request = parse_count_tokens(
        b'{"model":"anthropic:claude","messages":[{"role":"user","content":"\\u0041"}],"x":1.0}'
    )
    assert request.model == ModelName("anthropic", "claude")
    assert (request.operation, request.endpoint) == ("count_tokens", "/v1/messages/count_tokens")
    assert request.bound(None, 5) == Bound(0, 0, takes_output_limit=False)
    assert request.declared_output_tokens == 0
    assert request.rewritten(Terms("claude-1")) == (
        b'{"model":"claude-1","messages":[{"role":"user","content":"\\u0041"}],"x":1.0}'
    )


def test_who_asks_is_read_as_in_a_message() -> None:
    raw = b'{"model":"a:b","messages":[{"role":"user","content":"x"}],"metadata":{"user_id":"ann"}}'
    request = parse_count_tokens(raw)
    assert (request.user, request.user_field, request.is_user_advisory) == (
        "ann",
        "metadata.user_id",
        True,
    )


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"{", InvalidRequest),
        (b'{"model":":b","messages":[{"role":"user","content":"x"}]}', InvalidRequest),
        (b'{"model":"a:b","messages":[]}', Unprocessable),
        (b'{"model":"a:b"}', Unprocessable),
        (b'{"messages":[{"role":"user","content":"x"}]}', Unprocessable),
    ],
)
def test_a_bad_request_is_refused(raw: bytes, kind: type[InvalidRequest]) -> None:
    with pytest.raises(kind):
        parse_count_tokens(raw)


def test_the_answer_is_anthropics() -> None:
    assert msgspec.json.decode(count_of(14)) == {"input_tokens": 14}


def test_english_is_estimated_within_a_fifth() -> None:
    # 1,001 tokens with o200k_base.
    assert 900 < _estimate(ENGLISH) < 1_200


def test_other_scripts_take_fewer_bytes_a_token() -> None:
    assert _estimate("你好" * 300) >= 600


def test_everything_that_is_in_the_prompt_is_estimated() -> None:
    tool = {"name": "f", "description": ENGLISH, "input_schema": {"type": "object"}}
    alone = _estimate("hi")
    assert _estimate("hi", system=ENGLISH) > alone + 900
    assert _estimate("hi", tools=[tool]) > alone + 900 + 300
    assert _estimate("hi", metadata={"user_id": ENGLISH}) == alone
    result = {"type": "tool_result", "tool_use_id": "t", "content": ENGLISH}
    assert _estimate([result]) > 900


def test_pictures_and_pages_are_estimated_as_such() -> None:
    def inlined(kind: str, size: int) -> Any:
        return [{"type": kind, "source": {"type": "base64", "data": "A" * size}}]

    assert 1_600 <= _estimate(inlined("image", 400_000)) < 1_700
    assert 3_000 <= _estimate(inlined("document", 1_000)) < 3_100
    assert 15_000 <= _estimate(inlined("document", 400_000)) < 15_100


def test_a_recorded_request_is_estimated_near_its_count() -> None:
    document = parse_count_tokens(wire_bytes("messages/tools.request.json")).document()
    counted = wire_json("messages/tools.answer.json")["usage"]
    assert counted["input_tokens"] < estimate_tokens(document) < 4_000
