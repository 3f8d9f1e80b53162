"""How a model's reasoning comes back to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.responses_to_chat.reasoning import Kept, packed, unpacked
from tests.fakes.responses_over_chat import (
    MODEL,
    call,
    chat_call,
    events_of,
    messages_of,
    said,
    translator,
)


def test_reasoning_goes_back_to_the_model_that_gave_it_in_the_field_it_came_in() -> None:
    kept = packed(Kept(MODEL, {"reasoning_content": "Think."}))
    reasoning = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": kept}
    (message,) = messages_of(reasoning, call("1"))
    assert message["reasoning_content"] == "Think."
    assert message["tool_calls"] == [chat_call("1")]


@pytest.mark.parametrize(
    "encrypted",
    [
        "gAAAAAB-another-makers",
        packed(Kept("other:model", {"reasoning_content": "Think."})),
        packed(Kept(MODEL, {"reasoning_content": "Think."})) + "!",
        None,
    ],
)
def test_reasoning_that_the_model_cannot_read_is_left_out_and_the_response_says_so(
    encrypted: str | None,
) -> None:
    reasoning: dict[str, Any] = {"type": "reasoning", "id": "rs_1", "summary": []}
    reasoning["encrypted_content"] = encrypted
    made = translator()
    chat = made.request({"model": MODEL, "input": [reasoning, said("a")]})
    assert chat["messages"] == [{"role": "assistant", "content": "a"}]
    answer = made.answer({"choices": [{"message": {"content": "b"}}]})
    assert answer["input_transformations"] == [
        {"id": "rs_1", "action": "removed", "reason": "model_mismatch", "type": "reasoning"}
    ]


def test_reasoning_that_led_to_nothing_is_left_out_and_the_response_says_so() -> None:
    kept = packed(Kept(MODEL, {"reasoning_content": "Think."}))
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": kept}
    made = translator()
    user = {"role": "user", "content": "x"}
    assert len(made.request({"model": MODEL, "input": [reasoning, user]})["messages"]) == 1
    answer = made.answer({"choices": [{"message": {"content": "b"}}]})
    assert answer["input_transformations"][0]["reason"] == "turn_boundary"


def test_what_stood_beside_a_call_stands_there_again_wherever_its_item_is() -> None:
    beside = {"extra_content": {"google": {"thought_signature": "sig"}}}
    kept = packed(Kept(MODEL, {}, {"1": beside}))
    reasoning: dict[str, Any] = {
        "type": "reasoning",
        "summary": [],
        "encrypted_content": kept,
    }
    (message,) = messages_of(call("1"), call("2"), reasoning)
    assert message["tool_calls"] == [{**chat_call("1"), **beside}, chat_call("2")]


@given(
    st.builds(
        Kept,
        st.text(),
        st.dictionaries(
            st.sampled_from(["reasoning", "reasoning_content", "reasoning_details"]),
            st.text() | st.lists(st.dictionaries(st.text(), st.integers()), max_size=2),
        ),
        st.dictionaries(st.text(), st.dictionaries(st.text(), st.text())),
    )
)
def test_what_is_kept_comes_back_as_it_was(kept: Kept) -> None:
    assert unpacked(packed(kept)) == kept


def test_nothing_but_reasoning_can_be_put_into_a_message_that_way() -> None:
    assert unpacked(packed(Kept(MODEL, {"tool_calls": "x"}))) is None


@pytest.mark.parametrize("is_streamed", [False, True])
def test_reasoning_without_a_word_goes_back_with_the_calls(*, is_streamed: bool) -> None:
    call_given = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}
    message = {"reasoning_content": "", "content": None, "tool_calls": [call_given]}
    if is_streamed:
        (*_, last) = events_of([{"choices": [{"delta": message}]}])
        output = last["response"]["output"]
    else:
        output = translator().answer({"choices": [{"message": message}]})["output"]
    assert {item["type"] for item in output} == {"reasoning", "function_call"}
    (repeated,) = messages_of(*output)
    assert repeated["reasoning_content"] == ""


@pytest.mark.parametrize("is_streamed", [False, True])
def test_reasoning_without_a_word_is_nothing_beside_text(*, is_streamed: bool) -> None:
    message = {"reasoning_content": "", "content": "a"}
    if is_streamed:
        (*_, last) = events_of([{"choices": [{"delta": message}]}])
        output = last["response"]["output"]
    else:
        output = translator().answer({"choices": [{"message": message}]})["output"]
    assert [item["type"] for item in output] == ["message"]
