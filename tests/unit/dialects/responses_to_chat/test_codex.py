"""Codex, whose model speaks chat."""

from __future__ import annotations

import msgspec

from tests.fakes.responses_over_chat import chat_call, refused, translator
from tests.fakes.wire_files import wire_json


def test_codexs_first_turn_is_carried() -> None:
    document = wire_json("responses/codex-first-turn.json")
    chat = translator().request(document)
    assert [message["role"] for message in chat["messages"]] == ["system", "user", "user", "user"]
    assert chat["messages"][0]["content"].startswith("You are Codex")
    assert "sandboxing" in chat["messages"][0]["content"]
    assert [tool["function"]["name"] for tool in chat["tools"]] == [
        "shell_command",
        "update_plan",
        "apply_patch",
        "view_image",
        "mcp__docs__search",
    ]
    assert chat["tool_choice"] == "auto"
    assert chat["parallel_tool_calls"] is True
    assert chat["reasoning_effort"] == "medium"
    assert chat.keys() == {
        "model",
        "messages",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning_effort",
    }


def test_codexs_tool_results_are_carried() -> None:
    document = wire_json("responses/codex-tool-results.json")
    chat = translator().request(document)
    turn = chat["messages"][4:]
    assert turn[0] == {
        "role": "assistant",
        "content": "I'll look at the files.",
        "reasoning_content": "Look at the file first, and at the tests.",
        "tool_calls": [
            chat_call("call_a", "shell_command", '{"command":"cat main.py"}'),
            chat_call("call_b", "mcp__docs__search", '{"query":"rename"}'),
        ],
    }
    assert turn[1]["content"] == "def foo():\n\treturn 1\n"
    assert turn[2] == {"role": "tool", "tool_call_id": "call_b", "content": "Nothing found."}
    patch = msgspec.json.decode(turn[3]["tool_calls"][0]["function"]["arguments"])
    assert patch["input"].startswith("*** Begin Patch\n")
    assert [message["role"] for message in turn[4:]] == ["tool", "assistant", "tool"]
    assert turn[-1]["content"][0]["type"] == "image_url"


def test_codexs_search_is_refused_with_what_to_set_in_codex() -> None:
    document = wire_json("responses/codex-web-search.json")
    error = refused(**document)
    assert error.param == "tools[1]"
    assert 'in Codex: web_search = "disabled"' in error.message


def test_codexs_tools_may_come_with_its_input() -> None:
    document = wire_json("responses/codex-tools-in-input.json")
    made = translator()
    chat = made.request(document)
    assert [tool["function"]["name"] for tool in chat["tools"]] == [
        "functions__exec",
        "functions__wait",
        "clock__sleep",
    ]
    assert [message["role"] for message in chat["messages"]] == [
        *("system", "user", "user", "assistant", "tool")
    ]
    assert chat["messages"][3]["tool_calls"][0]["function"]["name"] == "functions__exec"
    assert chat["messages"][4]["content"] == "Script completed\nhello"
    call = {"id": "c", "function": {"name": "functions__exec", "arguments": '{"input":"1"}'}}
    (item,) = made.answer({"choices": [{"message": {"tool_calls": [call]}}]})["output"]
    assert (item["type"], item["namespace"], item["name"], item["input"]) == (
        *("custom_tool_call", "functions", "exec", "1"),
    )
