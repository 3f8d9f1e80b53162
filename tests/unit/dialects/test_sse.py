from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.sse import FrameSplitter, data_of, frame_of

_FRAMES = [
    b": keep-alive\n\n",
    b'data: {"a":1}\n\n',
    b'event: x\r\ndata: {"b":2}\r\n\r\n',
    "data: ключ 🔑\n\n".encode(),
    b"data: one\ndata: two\n\n",
    b"data: [DONE]\n\n",
]
_STREAM = b"".join(_FRAMES)


@pytest.mark.parametrize("cut", range(len(_STREAM) + 1))
def test_a_stream_split_at_any_byte_has_the_same_frames(cut: int) -> None:
    splitter = FrameSplitter()
    assert splitter.feed(_STREAM[:cut]) + splitter.feed(_STREAM[cut:]) == _FRAMES
    assert splitter.rest == b""


def test_a_stream_of_single_bytes_has_the_same_frames() -> None:
    splitter = FrameSplitter()
    frames = [frame for byte in _STREAM for frame in splitter.feed(bytes([byte]))]
    assert frames == _FRAMES


@given(st.lists(st.binary(max_size=40)))
def test_no_byte_is_lost_or_made_up(chunks: list[bytes]) -> None:
    splitter = FrameSplitter()
    frames = [frame for chunk in chunks for frame in splitter.feed(chunk)]
    assert b"".join(frames) + splitter.rest == b"".join(chunks)


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\r\n\r\n", b"x"),
        (b"data:  x\n\n", b" x"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b": comment\n\n", None),
        (b"event: ping\n\n", None),
        (b"data\n\n", None),
    ],
)
def test_the_data_of_a_frame_are_its_data_lines(frame: bytes, data: bytes | None) -> None:
    assert data_of(frame) == data


@given(st.binary().filter(lambda data: b"\n" not in data and b"\r" not in data))
def test_a_frame_made_around_data_gives_it_back(data: bytes) -> None:
    assert data_of(frame_of(data)) == data


@given(st.binary().filter(lambda data: b"\n" not in data and b"\r" not in data))
def test_data_are_the_same_whatever_ends_their_line(data: bytes) -> None:
    assert data_of(b"data: " + data + b"\n\n") == data_of(b"data: " + data + b"\r\n\r\n")
