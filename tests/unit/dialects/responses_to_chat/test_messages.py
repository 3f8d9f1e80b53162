"""What becomes of the items of a request."""

from __future__ import annotations

from typing import Any

import pytest

from bursar.dialects.chat_wire import CHAT
from bursar.dialects.request import Terms
from tests.fakes.responses_over_chat import (
    PNG,
    call,
    chat_call,
    messages_of,
    refused,
    result,
    said,
    to_chat,
)


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"type": "item_reference", "id": "x"}, "input[0]"),
        ({"id": "x"}, "input[0]"),
        ({"type": "web_search_call", "id": "x"}, "input[0]"),
        ({"type": ["message"]}, "input[0]"),
        ({"role": "critic", "content": "x"}, "input[0].role"),
        ({"role": "user", "content": 5}, "input[0].content"),
        ({"role": "user", "content": [{"type": "input_text"}]}, "input[0].content[0].text"),
        ({"role": "user", "content": ["x"]}, "input[0].content[0]"),
        (
            {"role": "user", "content": [{"type": "input_image", "file_id": "f"}]},
            "input[0].content[0].file_id",
        ),
        (
            {"role": "user", "content": [{"type": "input_image", "detail": "auto"}]},
            "input[0].content[0].image_url",
        ),
        (
            {"role": "user", "content": [{"type": "input_file", "file_url": "u"}]},
            "input[0].content[0].file_url",
        ),
        (
            {"role": "system", "content": [{"type": "input_image", "image_url": PNG}]},
            "input[0].content[0]",
        ),
        ({"role": "user", "content": "x", "name": "n"}, "input[0].name"),
        (call("c", arguments={}), "input[0].arguments"),
        ({"type": "function_call", "arguments": "{}"}, "input[0].call_id"),
        (result("c", None), "input[0].output"),
    ],
)
def test_an_item_that_chat_cannot_say_is_refused_by_its_place(
    item: dict[str, Any], param: str
) -> None:
    assert refused(input=[item]).param == param


def test_instructions_and_a_developers_first_message_are_one_system_message() -> None:
    developer = {"role": "developer", "content": [{"type": "input_text", "text": "B"}]}
    assert messages_of(developer, {"role": "user", "content": "hi"}, instructions="A") == [
        {"role": "system", "content": "A\n\nB"},
        {"role": "user", "content": "hi"},
    ]


def test_a_later_instruction_keeps_its_place() -> None:
    messages = messages_of({"role": "user", "content": "hi"}, {"role": "developer", "content": "B"})
    assert messages[1] == {"role": "system", "content": "B"}


def test_a_users_images_files_and_audio_are_carried() -> None:
    audio = {"data": "AAAA", "format": "wav"}
    content = [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": PNG, "detail": "low"},
        {"type": "input_image", "image_url": "https://x/y.png", "detail": "auto"},
        {"type": "input_image", "image_url": PNG, "detail": "original"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,A"},
        {"type": "input_audio", "input_audio": audio},
    ]
    assert messages_of({"role": "user", "content": content}) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                {"type": "image_url", "image_url": {"url": PNG, "detail": "high"}},
                {
                    "type": "file",
                    "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,A"},
                },
                {"type": "input_audio", "input_audio": audio},
            ],
        }
    ]


def test_parts_that_are_all_text_are_one_text() -> None:
    content = [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
    assert messages_of({"role": "user", "content": content})[0]["content"] == "a\nb"


def test_parallel_calls_are_one_message_and_each_result_its_own() -> None:
    items = (said("Let me see."), call("1"), call("2"), result("1"), result("2", "no"))
    assert messages_of(*items) == [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [chat_call("1"), chat_call("2")],
        },
        {"role": "tool", "tool_call_id": "1", "content": "ok"},
        {"role": "tool", "tool_call_id": "2", "content": "no"},
    ]


def test_calls_one_after_the_other_are_a_message_each() -> None:
    roles = [
        message["role"] for message in messages_of(call("1"), result("1"), call("2"), result("2"))
    ]
    assert roles == ["assistant", "tool", "assistant", "tool"]


def test_what_was_said_twice_is_two_messages_and_calls_stay_with_the_last() -> None:
    first, second = messages_of(said("a"), said("b"), call("1"))
    assert first == {"role": "assistant", "content": "a"}
    assert second == {"role": "assistant", "content": "b", "tool_calls": [chat_call("1")]}


def test_a_refusal_comes_back_as_one() -> None:
    content = [{"type": "refusal", "refusal": "No."}]
    assert messages_of({"role": "assistant", "content": content}) == [
        {"role": "assistant", "content": None, "refusal": "No."}
    ]


def test_a_result_may_be_seen() -> None:
    seen = [{"type": "input_text", "text": "A shot"}, {"type": "input_image", "image_url": PNG}]
    messages = messages_of(call("1"), call("2"), result("1", seen), result("2"), said("I see."))
    assert messages[1] == {
        "role": "tool",
        "tool_call_id": "1",
        "content": [
            {"type": "text", "text": "A shot"},
            {"type": "image_url", "image_url": {"url": PNG}},
        ],
    }
    roles = [message["role"] for message in messages]
    assert roles == ["assistant", "tool", "tool", "assistant"]


def test_a_provider_of_chat_sees_it_after_all_results() -> None:
    seen = [{"type": "input_image", "image_url": PNG}]
    translated = to_chat(input=[call("1"), call("2"), result("1", seen), result("2")])
    sent = CHAT.settle_terms(translated, Terms("m"), False)  # noqa: FBT003 (see WireDialect)
    assert [message["role"] for message in sent["messages"]] == [
        "assistant",
        "tool",
        "tool",
        "user",
    ]
    assert sent["messages"][3]["content"][-1] == {"type": "image_url", "image_url": {"url": PNG}}
