"""Requests as Claude Code and Codex put them on the wire, replayed byte for byte over sockets.

Their shapes, headers and fields are those of public captures (Claude Code 2.1.181, Codex 0.130);
the texts in them are ours. Each goes to a provider of its own dialect and to one that is translated
to.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bursar.dialects.responses_tools import CALLS_IMPOSED_MAX
from tests.e2e.raw_http import Connection, RawResponse, message
from tests.fakes.scripted_content import CUSTOM_INPUT, STRUCTURED
from tests.fakes.wire_files import wire_json

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment, Holder
    from tests.fakes.anthropic_upstream import FakeAnthropic
    from tests.fakes.openai_upstream import FakeOpenAI

CLAUDE_CODE = ["claude-code-turn", "claude-code-tool-results", "claude-code-reminder"]
CODEX = ["codex-turn", "codex-tool-results"]
# Their holders have a budget, so no setting of the OpenAI project chooses a dearer tier.
ORDINARY = {"service_tier": "default"}


def _replay(deployment: Deployment, holder: Holder, name: str, model: str) -> RawResponse:
    """Send a capture with the holder's key and a model that is served here."""
    capture = wire_json(f"clients/{name}.json")
    body = json.dumps({**capture["body"], "model": model}, ensure_ascii=False).encode()
    headers = {**capture["headers"], **holder.headers}
    with Connection(deployment.gateway.port) as connection:
        connection.send(message("POST", capture["path"], headers, body))
        return connection.response()


def _events(answer: RawResponse) -> list[dict[str, Any]]:
    """The events of a stream, each of which names itself twice."""
    assert answer.status == 200, answer.body
    frames = [frame for frame in answer.body.decode().split("\n\n") if frame]
    named = [frame.split("\n") for frame in frames if not frame.startswith(":")]
    events = [json.loads(data.removeprefix("data: ")) for _, data in named]
    assert [name.removeprefix("event: ") for name, _ in named] == [one["type"] for one in events]
    return events


def _assembled(events: list[dict[str, Any]], kind: str, field: str) -> str:
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    return "".join(delta[field] for delta in deltas if delta["type"] == kind)


@pytest.mark.parametrize("name", CLAUDE_CODE)
def test_claude_codes_turns_reach_anthropic_as_they_were_sent(
    served: Deployment, holder: Holder, anthropic_upstream: FakeAnthropic, name: str
) -> None:
    words = "tools+thinks-3"
    answer = _replay(served, holder, name, served.model("anthropic", words))
    assert _events(answer)[-1] == {"type": "message_stop"}
    capture = wire_json(f"clients/{name}.json")
    got = anthropic_upstream.last
    assert got.json() == {**capture["body"], "model": words}
    assert got.headers["anthropic-beta"] == capture["headers"]["anthropic-beta"]
    assert got.headers["anthropic-version"] == capture["headers"]["anthropic-version"]
    assert holder.key not in str(got.headers)


@pytest.mark.parametrize("name", CLAUDE_CODE)
def test_claude_codes_turns_are_answered_by_a_provider_of_chat(
    served: Deployment, holder: Holder, upstream: FakeOpenAI, name: str
) -> None:
    model = served.model("openai", "tools+thinks-3")
    events = _events(_replay(served, holder, name, model))
    assert events[0]["type"] == "message_start"
    assert events[-1] == {"type": "message_stop"}
    assert _assembled(events, "thinking_delta", "thinking") == "t0 t1 t2 "
    sent = upstream.last.json()
    assert [tool["function"]["name"] for tool in sent["tools"]] == [
        "Bash",
        "Read",
        "Edit",
        "TodoWrite",
    ]
    assert sent["stream"] is True
    assert "cache_control" not in json.dumps(sent)
    if name == "claude-code-turn":
        stop = next(event for event in events if event["type"] == "message_delta")
        assert stop["delta"]["stop_reason"] == "tool_use"
    else:
        results = [turn["tool_call_id"] for turn in sent["messages"] if turn["role"] == "tool"]
        assert results == ["toolu_01Read", "toolu_02Bash"]


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_claude_code_names_its_session_in_a_schema(
    served: Deployment, holder: Holder, provider: str
) -> None:
    answer = _replay(served, holder, "claude-code-title", served.model(provider))
    assert _assembled(_events(answer), "text_delta", "text") == STRUCTURED


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_claude_code_counts_the_tokens_of_its_tools(
    served: Deployment, holder: Holder, provider: str
) -> None:
    answer = _replay(served, holder, "claude-code-count", served.model(provider))
    assert answer.status == 200
    assert answer.json()["input_tokens"] > 100


def test_claude_codes_telemetry_names_nobody_who_would_pay(
    served: Deployment, holder: Holder
) -> None:
    _replay(served, holder, "claude-code-turn", served.model("anthropic"))
    newest = served.usage(holder)[0]
    assert (newest["user_id"], newest["endpoint"]) == (holder.user_id, "/v1/messages")


@pytest.mark.parametrize("name", CODEX)
def test_codexs_turns_reach_openai_as_they_were_sent(
    served: Deployment, holder: Holder, upstream: FakeOpenAI, name: str
) -> None:
    words = "tools+thinks-3+bounded"
    model = served.model("openai", words, max_output_tokens=16_384)
    events = _events(_replay(served, holder, name, model))
    assert events[-1]["type"] == "response.completed"
    capture = wire_json(f"clients/{name}.json")
    assert upstream.last.json() == {**capture["body"], "model": words, **ORDINARY}


def test_codexs_searches_without_end_are_given_one_where_the_provider_keeps_to_it(
    served: Deployment, holder: Holder, upstream: FakeOpenAI
) -> None:
    words = "thinks-3+searching"
    limits = {"max_output_tokens": 16_384, "context_window_tokens": 100_000}
    model = served.model("openai", words, rates={"web_search": "10"}, **limits)
    events = _events(_replay(served, holder, "codex-web-search", model))
    assert events[-1]["type"] == "response.completed"
    capture = wire_json("clients/codex-web-search.json")
    imposed = {"model": words, "max_tool_calls": CALLS_IMPOSED_MAX, **ORDINARY}
    assert upstream.last.json() == {**capture["body"], **imposed}


@pytest.mark.parametrize("provider", ["cerebras", "anthropic"])
def test_codexs_searches_without_end_are_refused_with_the_setting_that_ends_them(
    served: Deployment, holder: Holder, upstream: FakeOpenAI, provider: str
) -> None:
    before = len(upstream.requests)
    answer = _replay(served, holder, "codex-web-search", served.model(provider))
    assert answer.status in (400, 402)
    assert "web_search" in answer.json()["error"]["message"]
    assert len(upstream.requests) == before


@pytest.mark.parametrize("provider", ["cerebras", "anthropic"])
@pytest.mark.parametrize("name", CODEX)
def test_codexs_turns_are_answered_by_providers_without_responses(
    served: Deployment, holder: Holder, provider: str, name: str
) -> None:
    model = served.model(provider, "tools+thinks-3")
    events = _events(_replay(served, holder, name, model))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")
    output = events[-1]["response"]["output"]
    assert output[0]["type"] == "reasoning"
    if name == "codex-turn":
        calls = [item["type"] for item in output[1:]]
        assert calls == ["function_call"] * 3 + ["custom_tool_call", "function_call"]
        assert output[4]["input"] == CUSTOM_INPUT
    else:
        assert output[-1]["type"] == "message"


def test_results_of_codexs_tools_reach_a_provider_of_chat_under_their_calls_ids(
    served: Deployment, holder: Holder, upstream: FakeOpenAI
) -> None:
    _replay(served, holder, "codex-tool-results", served.model("cerebras"))
    turns = upstream.last.json()["messages"]
    called = [call["id"] for turn in turns for call in turn.get("tool_calls") or ()]
    answered = [turn["tool_call_id"] for turn in turns if turn["role"] == "tool"]
    assert called == answered == ["call_ls", "call_patch"]
    assert "Add a test for reserve." in json.dumps(turns)
    assert "prompt_cache_key" not in upstream.last.json()
