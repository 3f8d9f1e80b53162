"""Words that are metered later make the same stream and the same books as words metered at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.chat_wire import CHAT
from bursar.dialects.late_metering import LatelyMetered
from bursar.dialects.messages_wire import MESSAGES
from bursar.dialects.openai_stream import ChatStreamMeter, is_word
from bursar.dialects.passage_streams import PassedStream
from bursar.dialects.responses_wire import RESPONSES
from bursar.dialects.sse import FrameSplitter
from tests.fakes.anthropic_events import message_events
from tests.fakes.openai_behaviour import behaviour_of
from tests.fakes.openai_shapes import chat_events
from tests.fakes.responses_events import response_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bursar.dialects.passage import StreamReader, WireDialect

TOOL = {"type": "object", "properties": {"city": {"type": "string"}}}
REQUESTS: dict[str, dict[str, Any]] = {
    "chat": {
        "messages": [],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": TOOL}}],
        "stream_options": {"include_usage": True},
    },
    "messages": {"messages": [], "max_tokens": 80, "tools": [{"name": "f", "input_schema": TOOL}]},
    "responses": {"input": "?", "tools": [{"type": "function", "name": "f", "parameters": TOOL}]},
}
WIRES: dict[str, tuple[WireDialect, Callable[..., Iterable[bytes]]]] = {
    "chat": (CHAT, chat_events),
    "messages": (MESSAGES, message_events),
    "responses": (RESPONSES, response_events),
}
SCRIPTS = ["words-90", "tools+thinks-3", "nousage+words-9", "usageinlast", "nodone", "searches-2"]


def _readers(wire: WireDialect) -> tuple[StreamReader, PassedStream]:
    assert wire.reader is not None
    late = wire.reader(wire.splitter(), wire.stream_meter(True))  # noqa: FBT003
    return late, PassedStream(wire.splitter(), wire.stream_meter(True))  # noqa: FBT003


def _seen(reader: StreamReader) -> tuple[object, ...]:
    return (
        reader.usage,
        reader.output_bytes,
        reader.reported_cost_usd,
        reader.service_tier,
        reader.is_done,
        reader.error,
        reader.last_words(),
    )


@pytest.mark.parametrize("cut", [None, 1, 7, 1000])
@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("dialect", WIRES)
def test_the_stream_and_its_books_are_the_same_however_it_is_cut(
    dialect: str, script: str, cut: int | None
) -> None:
    wire, events = WIRES[dialect]
    frames = list(events({"model": "m", **REQUESTS[dialect]}, behaviour_of(script), 1))
    whole = b"".join(frames)
    chunks = frames if cut is None else [whole[at : at + cut] for at in range(0, len(whole), cut)]
    late, at_once = _readers(wire)
    for chunk in [*chunks, None]:
        assert late.feed(chunk) == at_once.feed(chunk)
        assert (late.is_done, late.error) == (at_once.is_done, at_once.error)
        if at_once.is_done:
            break
    assert _seen(late) == _seen(at_once)


@pytest.mark.parametrize("dialect", WIRES)
def test_the_books_can_be_asked_after_every_word(dialect: str) -> None:
    wire, events = WIRES[dialect]
    late, at_once = _readers(wire)
    request = {"model": "m", **REQUESTS[dialect]}
    for frame in events(request, behaviour_of("thinks-3+words-5"), 1):
        late.feed(frame)
        at_once.feed(frame)
        assert _seen(late) == _seen(at_once)


class _Counting(ChatStreamMeter):
    """Counts the frames that it was given."""

    def __init__(self) -> None:
        super().__init__(withhold_usage=True)
        self.frames = 0

    def passes(self, frame: bytes) -> bool:
        self.frames += 1
        return super().passes(frame)


def _word(text: str = "word") -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\n"


def test_words_wait_for_the_first_that_asks_and_no_more_than_64_of_them() -> None:
    meter = _Counting()
    reader = LatelyMetered(FrameSplitter(), meter, is_word)
    for _ in range(63):
        assert reader.feed(_word()) == _word()
    assert meter.frames == 0
    assert reader.output_bytes == 63 * len("word")
    for _ in range(64):
        reader.feed(_word())
    assert meter.frames == 63 + 64


def test_a_long_frame_is_metered_at_once() -> None:
    meter = _Counting()
    reader = LatelyMetered(FrameSplitter(), meter, is_word)
    reader.feed(_word("x" * 5000))
    assert meter.frames == 1


def test_what_ends_or_fails_a_stream_is_no_word() -> None:
    for frame in (
        b"data: [DONE]\n\n",
        b'data: {"error":{"message":"no"}}\n\n',
        b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n',
        b'data: {"choices":[],"usage" : {"prompt_tokens":1,"completion_tokens":2}}\n\n',
        b"\n\n",
    ):
        assert not is_word(frame)


_TEXTS = st.text(max_size=20) | st.sampled_from(['"usage":{', '"error":1', "[DONE]", '\\"error\\"'])
_USAGE = st.fixed_dictionaries({"prompt_tokens": st.integers(0, 9)})
_CHUNKS = st.fixed_dictionaries(
    {},
    optional={
        "choices": st.lists(st.fixed_dictionaries({"delta": st.dictionaries(_TEXTS, _TEXTS)})),
        "usage": st.none() | _USAGE,
        "error": st.none() | _TEXTS,
        "service_tier": _TEXTS,
        "x_groq": st.none() | st.fixed_dictionaries({"usage": _USAGE}),
    },
)


@given(_CHUNKS, st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]), st.booleans())
def test_no_word_of_chat_would_have_been_withheld_or_have_ended_its_stream(
    chunk: dict[str, Any],
    separators: tuple[str, str],
    is_ascii: bool,  # noqa: FBT001
) -> None:
    said = json.dumps(chunk, separators=separators, ensure_ascii=is_ascii)
    frame = b"data: " + said.encode() + b"\n\n"
    meter = ChatStreamMeter(withhold_usage=True)
    passes = meter.passes(frame)
    if is_word(frame):
        assert passes
        assert not meter.is_done
        assert meter.error is None
