from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.chat_wire import CHAT
from bursar.dialects.messages_to_chat import MessagesToChat
from bursar.dialects.passage_streams import TranslatedStream
from bursar.dialects.sse import FrameSplitter, data_frames, data_of, named_frames
from bursar.dialects.translator import Asked
from bursar.domain.errors import UpstreamBroken
from tests.fakes.wire_files import wire_bytes, wire_events

ASKED = Asked("openai:gpt-5-mini", wants_usage=True, created_s=1_790_000_000)
CASES = [
    "interleaved",
    "reasoning",
    "reasoning-groq",
    "reasoning-mistral",
    "refusal",
    "text",
    "tools",
    "tools-gemini",
    "uncounted",
]


def _reader() -> TranslatedStream:
    meter = CHAT.stream_meter(False)  # noqa: FBT003 (a callable has no keywords)
    translator = MessagesToChat(ASKED).stream()
    return TranslatedStream(CHAT.splitter(), meter, translator, named_frames, b"")


def _read(*chunks: bytes) -> bytes:
    reader = _reader()
    read = b"".join([reader.feed(chunk) for chunk in chunks])
    assert reader.is_done
    return read + reader.last_words()


def _translated(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return _events(_read(data_frames(chunks) + b"data: [DONE]\n\n"))


def _events(frames: bytes) -> list[dict[str, Any]]:
    data = map(data_of, FrameSplitter().feed(frames))
    return [msgspec.json.decode(each) for each in data if each is not None]


def _put_together(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The message, put together as Anthropic's clients do, who expect its order of events."""
    start, *blocks, delta, stop = events
    assert (start["type"], delta["type"], stop["type"]) == (
        "message_start",
        "message_delta",
        "message_stop",
    )
    message: dict[str, Any] = start["message"]
    open_index = None
    for event in blocks:
        kind, index = event["type"], event["index"]
        if kind == "content_block_start":
            assert (open_index, index) == (None, len(message["content"]))
            message["content"].append({**event["content_block"], "json": ""})
            open_index = index
        elif kind == "content_block_stop":
            assert index == open_index
            open_index = None
        else:
            assert (kind, index) == ("content_block_delta", open_index)
            _add(message["content"][index], event["delta"])
    assert open_index is None
    for block in message["content"]:
        text = block.pop("json")
        if text:
            block["input"] = msgspec.json.decode(text)
    return {**message, **delta["delta"], "usage": {**message["usage"], **delta["usage"]}}


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    kind, value = delta.values()
    field = {"input_json_delta": "json"}.get(kind, kind.removesuffix("_delta"))
    block[field] += value


def _message(case: str) -> dict[str, Any]:
    return _put_together(_events(_read(wire_bytes(f"chat/{case}.sse"))))


@pytest.mark.parametrize("case", ["text", "tools", "reasoning"])
def test_a_stream_makes_the_same_message_as_the_whole_answer(case: str) -> None:
    whole = MessagesToChat(ASKED).answer(
        msgspec.json.decode(wire_bytes(f"chat/{case}.answer.json"))
    )
    assert _message(case) == whole


@pytest.mark.parametrize("case", CASES)
def test_a_stream_cut_at_any_byte_makes_the_same_events(case: str) -> None:
    stream = wire_bytes(f"chat/{case}.sse")
    expected = _read(stream)
    for cut in range(len(stream) + 1):
        assert _read(stream[:cut], stream[cut:]) == expected


@pytest.mark.parametrize("case", CASES)
def test_a_stream_of_single_bytes_makes_the_same_events(case: str) -> None:
    stream = wire_bytes(f"chat/{case}.sse")
    assert _read(*(stream[at : at + 1] for at in range(len(stream)))) == _read(stream)


def test_the_events_of_a_text_come_in_anthropics_order() -> None:
    kinds = [event["type"] for event in _events(_read(wire_bytes("chat/text.sse")))]
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_every_frame_is_named_by_its_event() -> None:
    for frame in FrameSplitter().feed(_read(wire_bytes("chat/tools.sse"))):
        name, data, *_ = frame.decode().split("\n")
        kind = msgspec.json.decode(data.removeprefix("data: "))["type"]
        assert name == f"event: {kind}"


def test_text_passes_as_it_comes() -> None:
    reader = _reader()
    frames = FrameSplitter().feed(wire_bytes("chat/text.sse"))
    assert b"message_start" in reader.feed(frames[0])
    assert b"Bonjour" in reader.feed(frames[1])


def test_a_second_call_passes_as_it_comes_once_the_first_is_whole() -> None:
    reader = _reader()
    head, tail = wire_bytes("chat/tools.sse").split(b"get_time", 1)
    begun, rest = tail.split(b"\n\n", 1)
    passed = reader.feed(head + b"get_time" + begun + b"\n\n")
    assert b"get_time" in passed
    assert b"city" in reader.feed(rest.split(b"\n\n", 1)[0] + b"\n\n")


def test_calls_whose_fragments_interleave_come_one_after_the_other() -> None:
    message = _message("interleaved")
    assert [block["type"] for block in message["content"]] == ["tool_use", "tool_use", "text"]
    weather, time, text = message["content"]
    assert (weather["name"], weather["input"]) == ("get_weather", {"city": "Rome"})
    assert (time["name"], time["input"]) == ("get_time", {"city": "Rome"})
    assert text["text"] == "Both at once."
    assert message["stop_reason"] == "tool_use"


def test_calls_that_share_an_index_are_told_apart_by_their_ids() -> None:
    first, second = _message("tools-gemini")["content"]
    assert (first["id"], first["input"]) == ("function-call-1", {"city": "Rome"})
    assert first["extra_content"] == {"google": {"thought_signature": "CiQBVKhc7nM2"}}
    assert (second["id"], second["input"]) == ("function-call-2", {"city": "Rome"})


@pytest.mark.parametrize(
    ("case", "thinking", "signature"),
    [
        ("reasoning", "12,231 + 453 = 12,684", "reasoning_content"),
        ("reasoning-groq", "Add them.", "reasoning"),
        ("reasoning-mistral", "Add them.", "reasoning_content"),
    ],
)
def test_reasoning_is_a_block_signed_with_the_name_of_its_field(
    case: str, thinking: str, signature: str
) -> None:
    first, second = _message(case)["content"]
    assert first == {"type": "thinking", "thinking": thinking, "signature": signature}
    assert second == {"type": "text", "text": "12,684"}


def test_reasoning_that_was_signed_keeps_its_signature() -> None:
    def chunk(**delta: Any) -> dict[str, Any]:
        return {"id": "c", "choices": [{"index": 0, "delta": delta}]}

    signed = {"type": "thinking", "thinking": "hm", "signature": "EqQB"}
    unseen = {"type": "thinking", "thinking": "", "signature": "FqQB"}
    whole = {"type": "thinking", "thinking": "at once", "signature": "GqQB"}
    redacted = {"type": "redacted_thinking", "data": "Emw"}
    chunks = [
        chunk(reasoning_content="h"),
        chunk(reasoning_content="m"),
        chunk(thinking_blocks=[{"index": 0, **signed}]),
        chunk(thinking_blocks=[{"index": 1, **unseen}]),
        chunk(thinking_blocks=[{"index": 2, **redacted}, {"index": 3, **whole}]),
        chunk(reasoning_content="then"),
        chunk(content="x"),
    ]
    *reasoned, text = _put_together(_translated(chunks))["content"]
    assert reasoned == [
        signed,
        unseen,
        redacted,
        whole,
        {"type": "thinking", "thinking": "then", "signature": "reasoning_content"},
    ]
    assert text == {"type": "text", "text": "x"}


def test_thinking_that_is_not_wanted_is_not_shown() -> None:
    translator = MessagesToChat(ASKED)
    translator.request(
        {
            "max_tokens": 5,
            "messages": [{"role": "user", "content": "x"}],
            "thinking": {"type": "adaptive", "display": "omitted"},
        }
    )
    stream = translator.stream()
    chunks = wire_events("chat/reasoning.sse")
    events = [event for chunk in chunks for event in stream.event(chunk)]
    message = _put_together([*events, *stream.end()])
    assert message["content"] == [{"type": "text", "text": "12,684"}]


def test_a_refusal_is_told_as_text_and_as_the_reason() -> None:
    message = _message("refusal")
    assert message["content"] == [{"type": "text", "text": "I can't help with that."}]
    assert message["stop_reason"] == "refusal"


def test_usage_after_the_finish_is_told_at_the_end() -> None:
    usage = _message("tools-gemini")["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (90, 70)
    usage = _message("reasoning")["usage"]
    assert usage["input_tokens"] + usage["cache_read_input_tokens"] == 30


def test_a_provider_that_never_counts_is_told_as_zeros() -> None:
    message = _message("uncounted")
    assert (message["usage"]["input_tokens"], message["usage"]["output_tokens"]) == (0, 0)
    assert message["stop_reason"] == "max_tokens"
    assert message["id"] == "msg_1790000000"


def test_a_stream_that_says_nothing_is_still_a_message() -> None:
    assert _put_together(_translated([]))["content"] == []
    only_usage = [{"id": "c", "choices": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}}]
    assert _put_together(_translated(only_usage))["usage"]["input_tokens"] == 5


def test_only_the_first_answer_is_told() -> None:
    choices = [
        {"index": 1, "delta": {"content": "no"}},
        {"index": 0, "delta": {"content": "yes"}},
    ]
    message = _put_together(_translated([{"id": "c", "choices": choices}]))
    assert message["content"] == [{"type": "text", "text": "yes"}]


def _call_chunk(**call: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}


def test_a_call_without_arguments_has_an_empty_input() -> None:
    message = _put_together(
        _translated([_call_chunk(index=0, id="t", function={"name": "f", "arguments": ""})])
    )
    assert message["content"] == [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]
    assert message["stop_reason"] == "tool_use"


def test_an_id_and_a_name_that_come_again_begin_no_second_call() -> None:
    chunks = [
        _call_chunk(index=0, id="t", function={"name": "f", "arguments": '{"a"'}),
        _call_chunk(index=0, id="t", function={"name": "f", "arguments": ":1}"}),
    ]
    (call,) = _put_together(_translated(chunks))["content"]
    assert call["input"] == {"a": 1}


def test_arguments_that_look_whole_and_are_not_hold_the_next_call_back() -> None:
    chunks = [
        _call_chunk(index=0, id="t", function={"name": "f", "arguments": '{"a":{}'}),
        _call_chunk(index=1, id="u", function={"name": "g", "arguments": "{}"}),
        _call_chunk(index=0, function={"arguments": ',"b":1}'}),
    ]
    first, second = _put_together(_translated(chunks))["content"]
    assert (first["name"], first["input"]) == ("f", {"a": {}, "b": 1})
    assert (second["name"], second["input"]) == ("g", {})


def test_a_call_without_an_id_gets_one_and_an_object_of_arguments_is_taken() -> None:
    chunks = [_call_chunk(function={"name": "f", "arguments": {"a": 1}})]
    (call,) = _put_together(_translated(chunks))["content"]
    assert (call["id"], call["input"]) == ("call_1", {"a": 1})


def test_a_fragment_of_a_call_that_never_began_breaks_the_stream() -> None:
    with pytest.raises(UpstreamBroken):
        _translated([_call_chunk(index=3, function={"arguments": "{}"})])


_TEXTS = st.text(min_size=1, max_size=6)
_SAID = st.tuples(st.sampled_from(["content", "reasoning_content", "refusal"]), _TEXTS)
_CALLED = st.tuples(st.sampled_from([0, 1, 2]), st.integers(1, 4))


@given(st.lists(_SAID | _CALLED, max_size=12))
def test_nothing_is_lost_however_a_stream_is_mixed(pieces: list[tuple[Any, Any]]) -> None:
    chunks, begun = [], set()
    for kind, value in pieces:
        if isinstance(kind, str):
            chunks.append({"id": "c", "choices": [{"index": 0, "delta": {kind: value}}]})
            continue
        opening = "" if kind in begun else '{"x":"'
        named = {} if kind in begun else {"id": f"t{kind}"}
        begun.add(kind)
        function = {"name": "f", "arguments": opening + "y" * value}
        chunks.append(_call_chunk(index=kind, **named, function=function))
    chunks += [_call_chunk(index=kind, function={"arguments": '"}'}) for kind in sorted(begun)]
    content = _put_together(_translated(chunks))["content"]
    said = [piece for piece in pieces if isinstance(piece[0], str)]
    assert "".join(block.get("thinking", "") for block in content) == "".join(
        text for kind, text in said if kind == "reasoning_content"
    )
    assert "".join(block.get("text", "") for block in content) == "".join(
        text for kind, text in said if kind != "reasoning_content"
    )
    calls = {block["id"]: block["input"]["x"] for block in content if block["type"] == "tool_use"}
    for kind in begun:
        assert len(calls[f"t{kind}"]) == sum(n for each, n in pieces if each == kind)
