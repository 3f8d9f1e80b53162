"""What becomes of the tools of a request."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.responses_over_chat import FUNCTION, refused, to_chat


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
