"""Amazon's binary event stream, held against botocore's own parser."""

from __future__ import annotations

import struct
import zlib

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.dialects.converse_eventstream import EventMessage, MessageSplitter, read_message
from bursar.domain.errors import UpstreamBroken
from tests.fakes import event_stream
from tests.fakes.wire_files import wire_bytes, wire_json

# A busy machine is no fault of the code.
UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
RECORDED = wire_bytes("converse/tools.eventstream")
MESSAGES = MessageSplitter().feed(RECORDED)
HEADERS = st.dictionaries(
    st.text(min_size=1, max_size=40).filter(lambda name: len(name.encode()) < 256),
    st.text(max_size=40),
    max_size=4,
)


def _by_botocore(data: bytes) -> list[EventMessage]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [EventMessage(message.headers, message.payload) for message in buffer]


@pytest.mark.parametrize("case", ["text", "thinking", "tools"])
def test_a_recorded_stream_is_what_its_events_say(case: str) -> None:
    recorded = wire_bytes(f"converse/{case}.eventstream")
    assert event_stream.events(wire_json(f"converse/{case}.events.json")) == recorded
    frames = MessageSplitter().feed(recorded)
    assert b"".join(frames) == recorded
    assert [read_message(frame) for frame in frames] == _by_botocore(recorded)


def test_a_stream_split_at_any_byte_has_the_same_messages() -> None:
    for cut in range(len(RECORDED) + 1):
        splitter = MessageSplitter()
        assert splitter.feed(RECORDED[:cut]) + splitter.feed(RECORDED[cut:]) == MESSAGES
        assert splitter.flush() == []


def test_a_stream_of_single_bytes_has_the_same_messages() -> None:
    splitter = MessageSplitter()
    assert [frame for byte in RECORDED for frame in splitter.feed(bytes([byte]))] == MESSAGES


@UNHURRIED
@given(st.lists(st.tuples(HEADERS, st.binary(max_size=60)), max_size=4))
def test_whatever_can_be_sent_is_read_as_botocore_reads_it(
    messages: list[tuple[dict[str, str], bytes]],
) -> None:
    data = b"".join(event_stream.message(*message) for message in messages)
    read = [read_message(frame) for frame in MessageSplitter().feed(data)]
    assert read == [EventMessage(*message) for message in messages]
    assert read == _by_botocore(data)


def test_headers_of_every_type_are_read_past() -> None:
    odd = [
        event_stream.header("true", 0, b""),
        event_stream.header("false", 1, b""),
        event_stream.header("byte", 2, b"\x01"),
        event_stream.header("short", 3, b"\x00\x01"),
        event_stream.header("integer", 4, bytes(4)),
        event_stream.header("long", 5, bytes(8)),
        event_stream.header("bytes", 6, b"\x00\x03abc"),
        event_stream.header("timestamp", 8, bytes(8)),
        event_stream.header("uuid", 9, bytes(16)),
    ]
    frame = event_stream.framed(
        b"".join([*odd, event_stream.string_header(":event-type", "messageStop")]), b"{}"
    )
    assert len(_by_botocore(frame)[0].headers) == 10
    assert read_message(frame) == EventMessage({":event-type": "messageStop"}, b"{}")


def test_a_message_with_any_byte_changed_is_broken() -> None:
    for at in range(len(MESSAGES[0])):
        damaged = bytearray(MESSAGES[0])
        damaged[at] ^= 0x10
        with pytest.raises(UpstreamBroken, match="checksum"):
            MessageSplitter().feed(bytes(damaged))


def _prelude(length: int, headers_length: int) -> bytes:
    prelude = struct.pack("!II", length, headers_length)
    return prelude + struct.pack("!I", zlib.crc32(prelude))


@pytest.mark.parametrize(
    ("length", "headers_length"),
    [(0, 0), (15, 0), (20, 5), (2**32 - 1, 0), (2**20, 128 * 1024 + 1), (25 * 1024 * 1024, 0)],
)
def test_a_length_that_cannot_be_is_broken_at_once(length: int, headers_length: int) -> None:
    with pytest.raises(UpstreamBroken, match="impossible length"):
        MessageSplitter().feed(_prelude(length, headers_length))


@pytest.mark.parametrize(
    "headers",
    [
        b"\x05ab",  # a name that is cut off
        b"\x01a",  # no type
        b"\x01a\x07",  # no length
        b"\x01a\x07\x00\x05ab",  # a text that is cut off
        b"\x01a\x04\x00",  # an integer that is cut off
        b"\x01a\x0a\x00\x00",  # a type that does not exist
        b"\x01a\x07\x00\x01\xff",  # a text that is none
        b"\x01\xff\x00",  # a name that is none
    ],
)
def test_headers_that_cannot_be_read_are_broken(headers: bytes) -> None:
    with pytest.raises(UpstreamBroken, match="headers"):
        read_message(event_stream.framed(headers, b"{}"))


def test_what_is_cut_off_does_not_count() -> None:
    splitter = MessageSplitter()
    assert splitter.feed(RECORDED[:-1]) == MESSAGES[:-1]
    assert splitter.flush() == []
