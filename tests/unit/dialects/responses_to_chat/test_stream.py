"""A chat stream as the events of a response."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.chat_wire import CHAT
from bursar.dialects.passage_streams import TranslatedStream
from bursar.dialects.responses_to_chat.reasoning import unpacked
from bursar.dialects.sse import FrameSplitter, named_frames
from tests.fakes.responses_over_chat import MODEL, events_of, translator
from tests.fakes.wire_files import wire_bytes, wire_events, wire_json

CODEX = wire_json("responses/codex-first-turn.json")
CASES = ["text", "tools", "length", "refusal", "json", "signed-calls", "details"]


def _events(case: str) -> list[dict[str, Any]]:
    made = translator()
    made.request(CODEX)
    return events_of(wire_events(f"responses/over-chat/{case}.sse"), made)


def _chunk(finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"id": "x", "choices": [{"delta": delta, "finish_reason": finish_reason}]}


def _call(index: int | None, arguments: str, **fields: Any) -> dict[str, Any]:
    function = {"arguments": arguments}
    if "name" in fields:
        function["name"] = fields.pop("name")
    return {"index": index, "function": function, **fields}


def _output(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = events[-1]["response"]["output"]
    return output


@pytest.mark.parametrize("case", CASES)
def test_events_are_numbered_in_order_and_the_response_is_last(case: str) -> None:
    events = _events(case)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1]["type"] == f"response.{events[-1]['response']['status']}"


@pytest.mark.parametrize("case", CASES)
def test_every_item_and_part_is_added_grows_and_is_done(case: str) -> None:
    events = _events(case)
    kinds = Counter(event["type"] for event in events)
    for what in ("output_item", "content_part"):
        assert kinds[f"response.{what}.added"] == kinds[f"response.{what}.done"]
    for event in events:
        if event["type"].endswith(".done") and "item_id" in event:
            told = event.get("text", event.get("arguments", event.get("refusal")))
            delta_type = event["type"].replace(".done", ".delta")
            grown = [
                each["delta"]
                for each in events
                if each["type"] == delta_type and each["item_id"] == event["item_id"]
            ]
            assert told is None or told == "".join(grown)


@pytest.mark.parametrize("case", CASES)
def test_a_stream_ends_with_the_response_that_the_whole_answer_would_be(case: str) -> None:
    made = translator()
    made.request(CODEX)
    whole = made.answer(wire_json(f"responses/over-chat/{case}.answer.json"))
    streamed = _events(case)[-1]["response"]
    if case == "refusal":
        whole["usage"] = None  # that stream tells none
    if case == "signed-calls":
        # Signatures come after the calls have begun
        whole["output"].append(whole["output"].pop(0))
    for response in (whole, streamed):
        for item in response["output"]:
            item.pop("id")
    assert streamed == whole


@pytest.mark.parametrize("case", CASES)
def test_items_are_done_as_the_response_has_them(case: str) -> None:
    events = _events(case)
    done = {
        event["output_index"]: event["item"]
        for event in events
        if event["type"] == "response.output_item.done"
    }
    assert [done[index] for index in sorted(done)] == _output(events)
    assert sorted(done) == list(range(len(done)))


def test_reasoning_is_done_before_what_follows_begins() -> None:
    kinds = [(event["type"], event.get("output_index")) for event in _events("tools")]
    assert kinds.index(("response.output_item.done", 0)) < kinds.index(
        ("response.output_item.added", 1)
    )


def test_text_that_goes_on_after_a_call_is_the_same_message() -> None:
    events = events_of(
        [
            _chunk(content="a"),
            _chunk(tool_calls=[_call(0, "{}", id="1", name="f")]),
            _chunk(content="b"),
            _chunk("tool_calls"),
        ]
    )
    message, call = _output(events)
    assert message["content"][0]["text"] == "ab"
    assert call["call_id"] == "1"


def test_reasoning_between_text_is_an_item_of_its_own() -> None:
    deltas = ({"reasoning": "1"}, {"content": "a"}, {"reasoning": "2"}, {"content": "b"})
    output = _output(events_of(_chunk(**delta) for delta in deltas))
    assert [item["type"] for item in output] == ["reasoning", "message", "reasoning"]
    assert output[1]["content"][0]["text"] == "ab"


@pytest.mark.parametrize(
    "pieces",
    [
        # As OpenAI does
        [
            _call(0, "", id="1", name="f"),
            _call(1, "", id="2", name="g"),
            _call(0, "{1"),
            _call(1, "{2"),
            _call(0, "}"),
            _call(1, "}"),
        ],
        # One index for all
        [_call(0, "{1}", id="1", name="f"), _call(0, "{2", id="2", name="g"), _call(0, "}")],
        # No index
        [
            _call(None, "{1", id="1", name="f"),
            _call(None, "}"),
            _call(None, "{2}", id="2", name="g"),
        ],
        # Id and name with every piece
        [
            _call(0, "{1", id="1", name="f"),
            _call(1, "{2", id="2", name="g"),
            _call(0, "}", id="1", name="f"),
            _call(1, "}", id="2", name="g"),
        ],
    ],
)
def test_calls_are_told_apart_however_a_provider_marks_them(pieces: list[dict[str, Any]]) -> None:
    output = _output(events_of(_chunk(tool_calls=[piece]) for piece in pieces))
    assert [(item["call_id"], item["name"], item["arguments"]) for item in output] == [
        ("1", "f", "{1}"),
        ("2", "g", "{2}"),
    ]


def test_a_custom_tools_text_is_one_delta_when_it_is_whole() -> None:
    deltas = [
        event["delta"]
        for event in _events("tools")
        if event["type"] == "response.custom_tool_call_input.delta"
    ]
    assert deltas == ['*** Begin Patch\n*** Add File: é.txt\n+"hi"\n*** End Patch\n']


def test_details_in_pieces_are_put_together_to_be_given_back() -> None:
    reasoning = _output(_events("details"))[0]
    kept = unpacked(reasoning["encrypted_content"])
    assert kept is not None
    assert kept.message["reasoning_details"] == [
        {
            "format": "anthropic-claude-v1",
            "index": 0,
            "type": "reasoning.text",
            "text": "Let me see.",
            "signature": "c2lnbmVk",
        }
    ]


def test_notes_on_the_text_are_events_and_stay_with_it() -> None:
    note = {"type": "url_citation", "url_citation": {"url": "https://x"}}
    events = events_of([_chunk(content="a"), _chunk(annotations=[note])])
    (told,) = [event for event in events if "annotation" in event]
    assert told["annotation"] == {"type": "url_citation", "url": "https://x"}
    assert _output(events)[0]["content"][0]["annotations"] == [told["annotation"]]


def test_a_stream_without_a_word_is_an_empty_response() -> None:
    events = events_of([])
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]
    assert _output(events) == []


def test_what_makes_no_sense_in_a_stream_is_passed_over() -> None:
    chunks: list[dict[str, Any]] = [
        {"choices": None},
        {"choices": 5},
        {"choices": [None, 5, {}, {"delta": 5}, {"delta": {"tool_calls": 5, "content": 5}}]},
        {"choices": [{"delta": {"tool_calls": [5, {}, {"function": 5}]}}], "usage": 5},
    ]
    assert events_of(chunks)[-1]["type"] == "response.completed"


@pytest.mark.parametrize("case", CASES)
def test_a_stream_may_be_cut_at_any_byte(case: str) -> None:
    raw = wire_bytes(f"responses/over-chat/{case}.sse")
    whole = _through_passage([raw])
    assert whole.endswith(b"\n\n")
    assert _through_passage([raw[at : at + 1] for at in range(len(raw))]) == whole


def _through_passage(chunks: list[bytes]) -> bytes:
    made = translator()
    made.request(CODEX)
    meter = CHAT.stream_meter(False)  # noqa: FBT003 (a callable has no keywords)
    reader = TranslatedStream(CHAT.splitter(), meter, made.stream(), named_frames, b"")
    passed = b"".join(map(reader.feed, chunks)) + reader.feed(None)
    assert reader.is_done
    return passed + reader.last_words()


def test_frames_have_the_names_of_their_events() -> None:
    for frame in FrameSplitter().feed(
        _through_passage([wire_bytes("responses/over-chat/tools.sse")])
    ):
        name, data = frame.split(b"\n")[:2]
        assert name == b"event: " + msgspec.json.decode(data[6:])["type"].encode()


_PIECES = st.lists(
    st.one_of(
        st.tuples(st.just("content"), st.text(min_size=1, max_size=5)),
        st.tuples(st.just("reasoning_content"), st.text(min_size=1, max_size=5)),
        st.tuples(st.sampled_from(["0", "1", "2"]), st.text(min_size=1, max_size=5)),
    ),
    max_size=12,
)


@given(_PIECES)
def test_nothing_is_lost_whatever_comes_between_what(pieces: list[tuple[str, str]]) -> None:
    begun: set[str] = set()
    chunks = []
    for where, text in pieces:
        if where in ("content", "reasoning_content"):
            chunks.append(_chunk(**{where: text}))
            continue
        first = {} if where in begun else {"id": f"call-{where}", "name": f"f{where}"}
        begun.add(where)
        chunks.append(_chunk(tool_calls=[_call(int(where), text, **first)]))
    output = _output(events_of(chunks))

    def said(where: str) -> str:
        return "".join(text for place, text in pieces if place == where)

    texts = [item["content"][0]["text"] for item in output if item["type"] == "message"]
    thoughts = [item["content"][0]["text"] for item in output if item["type"] == "reasoning"]
    assert "".join(texts) == said("content")
    assert len(texts) <= 1
    assert "".join(thoughts) == said("reasoning_content")
    assert {
        item["call_id"]: item["arguments"] for item in output if item["type"] == "function_call"
    } == {f"call-{where}": said(where) for where in begun}


@given(_PIECES)
def test_what_was_answered_is_the_message_that_the_next_request_has(
    pieces: list[tuple[str, str]],
) -> None:
    """A response's output, given back as input, is what the provider said."""
    text = "".join(text for where, text in pieces if where == "content")
    thought = "".join(text for where, text in pieces if where == "reasoning_content")
    places = sorted({where for where, _ in pieces if where.isdigit()})
    calls = [
        {
            "id": f"call-{where}",
            "type": "function",
            "function": {
                "name": "f",
                "arguments": "".join(text for place, text in pieces if place == where),
            },
        }
        for where in places
    ]
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    message |= {"reasoning_content": thought} if thought else {}
    message |= {"tool_calls": calls} if calls else {}
    made = translator()
    made.request({"model": MODEL, "input": "x"})
    output = made.answer({"choices": [{"message": message}]})["output"]
    messages = translator().request({"model": MODEL, "input": output})["messages"]
    assert messages == ([message] if text or calls else [])
