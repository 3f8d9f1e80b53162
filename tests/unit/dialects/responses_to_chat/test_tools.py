"""What becomes of the tools of a request."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.responses_over_chat import (
    FUNCTION,
    MODEL,
    events_of,
    messages_of,
    refused,
    to_chat,
    translator,
)


def test_functions_keep_their_schema_and_only_strictness_that_was_asked_for() -> None:
    strict = {**FUNCTION, "name": "g", "description": "d", "strict": True}
    translated = to_chat(
        tools=[{**FUNCTION, "strict": False}, strict], tool_choice="auto", parallel_tool_calls=True
    )
    assert translated["tools"] == [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
        {
            "type": "function",
            "function": {
                "name": "g",
                "description": "d",
                "parameters": {"type": "object"},
                "strict": True,
            },
        },
    ]
    assert (translated["tool_choice"], translated["parallel_tool_calls"]) == ("auto", True)


def test_a_choice_among_no_tools_is_not_sent() -> None:
    translated = to_chat(tools=[], tool_choice="auto", parallel_tool_calls=False)
    assert not translated.keys() & {"tools", "tool_choice", "parallel_tool_calls"}


def test_a_custom_tool_is_a_function_with_one_string_and_told_its_grammar() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /a+/"}
    tool = {"type": "custom", "name": "c", "description": "d", "format": grammar}
    (sent,) = to_chat(tools=[tool])["tools"]
    assert sent["function"]["parameters"]["properties"] == {"input": {"type": "string"}}
    assert sent["function"]["description"] == (
        "d\n\n'input' matches this lark grammar:\nstart: /a+/"
    )


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("required", "required"),
        ({"type": "function", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
        ({"type": "custom", "name": "c"}, {"type": "function", "function": {"name": "c"}}),
        (
            {"type": "function", "name": "s", "namespace": "n"},
            {"type": "function", "function": {"name": "n__s"}},
        ),
    ],
)
def test_a_choice_of_tool_is_carried(choice: Any, expected: Any) -> None:
    tools = [FUNCTION, {"type": "custom", "name": "c"}]
    assert to_chat(tools=tools, tool_choice=choice)["tool_choice"] == expected


def test_a_choice_of_a_few_tools_takes_the_others_away() -> None:
    tools = [FUNCTION, {**FUNCTION, "name": "g"}, {"type": "custom", "name": "c"}]
    few = {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [{"type": "function", "name": "g"}, {"type": "custom", "name": "c"}],
    }
    translated = to_chat(tools=tools, tool_choice=few)
    assert [tool["function"]["name"] for tool in translated["tools"]] == ["g", "c"]
    assert translated["tool_choice"] == "required"


def test_a_namespace_stands_in_front_of_its_tools_and_says_its_description_once() -> None:
    inner = [{**FUNCTION, "description": "one"}, {**FUNCTION, "name": "g"}]
    namespace = {"type": "namespace", "name": "ns", "description": "about", "tools": inner}
    functions = [tool["function"] for tool in to_chat(tools=[namespace])["tools"]]
    assert [function["name"] for function in functions] == ["ns__f", "ns__g"]
    assert functions[0]["description"] == "about\n\none"
    assert "description" not in functions[1]


def test_tools_that_come_with_an_item_are_tools_of_the_request() -> None:
    brought = {"type": "additional_tools", "role": "developer", "tools": [FUNCTION]}
    translated = to_chat(input=[brought, {"role": "user", "content": "x"}])
    assert [tool["function"]["name"] for tool in translated["tools"]] == ["f"]
    assert len(translated["messages"]) == 1


def test_a_tool_that_comes_again_is_the_later_one() -> None:
    later = {**FUNCTION, "description": "later"}
    brought = {"type": "additional_tools", "role": "developer", "tools": [later]}
    (sent,) = to_chat(tools=[FUNCTION], input=[brought, {"role": "user", "content": "x"}])["tools"]
    assert sent["function"]["description"] == "later"


def test_a_namespace_needs_a_name() -> None:
    assert refused(tools=[{"type": "namespace", "tools": [FUNCTION]}]).param == "tools[0].name"


SEARCH: dict[str, Any] = {
    "type": "tool_search",
    "execution": "client",
    "description": "Finds tools.",
    "parameters": {"type": "object", "properties": {"query": {"type": "string"}}},
}
FOUND: list[dict[str, Any]] = [
    {
        "type": "namespace",
        "name": "mcp__docs",
        "description": "Documents",
        "tools": [{**FUNCTION, "name": "read", "defer_loading": True}],
    },
    {**FUNCTION, "defer_loading": True},
]


def test_a_search_for_tools_that_the_caller_answers_is_a_function() -> None:
    (sent,) = to_chat(tools=[SEARCH])["tools"]
    assert sent["function"] == {
        "name": "tool_search",
        "description": "Finds tools.",
        "parameters": SEARCH["parameters"],
    }
    error = refused(tools=[{**SEARCH, "execution": "server"}])
    assert error.param == "tools[0].execution"


def test_what_a_search_found_can_be_called() -> None:
    call = {
        "type": "tool_search_call",
        "call_id": "c",
        "execution": "client",
        "arguments": {"q": 1},
    }
    output = {"type": "tool_search_output", "call_id": "c", "execution": "client", "tools": FOUND}
    translated = to_chat(tools=[SEARCH], input=[call, output])
    assert [tool["function"]["name"] for tool in translated["tools"]] == [
        "tool_search",
        "mcp__docs__read",
        "f",
    ]
    asked, answered = translated["messages"]
    assert asked["tool_calls"][0]["function"] == {"name": "tool_search", "arguments": '{"q":1}'}
    assert answered == {
        "role": "tool",
        "tool_call_id": "c",
        "content": "The tools that were found can be called now.",
    }


def test_a_search_that_found_nothing_says_so() -> None:
    output = {"type": "tool_search_output", "call_id": "c", "tools": []}
    assert messages_of(output)[0]["content"] == "No tools were found."


@pytest.mark.parametrize(
    ("arguments", "told"), [('{"query":"x"}', {"query": "x"}), ("{broken", "{broken")]
)
def test_a_model_that_searches_for_tools_asks_the_caller(arguments: str, told: Any) -> None:
    made = translator()
    made.request({"model": MODEL, "input": "x", "tools": [SEARCH]})
    call = {"id": "c", "function": {"name": "tool_search", "arguments": arguments}}
    (item,) = made.answer({"id": "x", "choices": [{"message": {"tool_calls": [call]}}]})["output"]
    assert item == {
        "id": "fc_x_0",
        "type": "tool_search_call",
        "status": "completed",
        "call_id": "c",
        "execution": "client",
        "arguments": told,
    }
    events = events_of([{"choices": [{"delta": {"tool_calls": [call]}}]}], made)
    assert [event["type"] for event in events[2:-1]] == [
        "response.output_item.added",
        "response.output_item.done",
    ]
