"""Audio that is made of frames: how long it is, exactly, by walking from frame to frame.

A frame's header tells its length and how many samples it stands for. Sources: MPEG audio's header
(ISO 11172-3, section 2.4.1.3, and 13818-3 for the lower rates), and ADTS (ISO 13818-7, annex B).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What the head of a frame says: its length in bytes and that of its sound in seconds.
_Frame = tuple[int, float]

_SYNC: Final = 0x7FF
_LAYER_3: Final = 1
_MPEG_1: Final = 3
_MPEG_2: Final = 2
# By version's bits; kbit/s by index, of layer 3. The lower versions share a table.
_KBIT_PER_S: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBIT_PER_S_LOW: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_HZ: Final[Mapping[int, tuple[int, int, int]]] = {
    _MPEG_1: (44_100, 48_000, 32_000),
    _MPEG_2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8_000),
}
_ADTS_HZ: Final = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000),
    *(22_050, 16_000, 12_000, 11_025, 8_000, 7_350),
)
_ADTS_SYNC: Final = 0xFFF
_MP3_HEAD: Final = 4
_ADTS_HEAD: Final = 7
_ID3_HEADER: Final = 10
_ID3_TAIL: Final = 128


def mp3_seconds(audio: bytes) -> float | None:
    """Length of an MP3 file; None if it is none, or anything stands between its frames."""
    start, end = _without_tags(audio)
    return _walk(audio[:end], start, _MP3_HEAD, _mp3_frame)


def adts_seconds(audio: bytes) -> float | None:
    """Length of AAC in ADTS frames; None if it is none, or anything stands between them."""
    return _walk(audio, 0, _ADTS_HEAD, _adts_frame)


def _walk(
    audio: bytes, at: int, head_bytes: int, read: Callable[[bytes], _Frame | None]
) -> float | None:
    """The frames' length together; the last one may be cut off."""
    seconds, end = 0.0, len(audio)
    while at + 8 <= end:
        frame = read(audio[at : at + head_bytes])
        if frame is None:
            return None
        at += frame[0]
        seconds += frame[1]
    return seconds or None


def _without_tags(audio: bytes) -> tuple[int, int]:
    """Where the frames begin and end; the tags around them are not played.

    A tag whose head is malformed is none to a decoder, which plays what is in it.
    """
    start, end = 0, len(audio)
    if audio.startswith(b"ID3") and end >= _ID3_HEADER:
        major, minor, _, *size = audio[3:_ID3_HEADER]
        if 0xFF not in (major, minor) and all(byte < 0x80 for byte in size):
            start = _ID3_HEADER + sum(byte << 7 * at for at, byte in enumerate(reversed(size)))
    if audio[-_ID3_TAIL:].startswith(b"TAG"):
        end -= _ID3_TAIL
    return start, end


@lru_cache(maxsize=1_024)  # a file has few that differ, and up to a million frames
def _mp3_frame(head: bytes) -> _Frame | None:
    header = int.from_bytes(head, "big")
    version, layer = header >> 19 & 3, header >> 17 & 3
    rate_index, hz_index, padding = header >> 12 & 15, header >> 10 & 3, header >> 9 & 1
    rates = _KBIT_PER_S if version == _MPEG_1 else _KBIT_PER_S_LOW
    is_frame = header >> 21 == _SYNC and layer == _LAYER_3 and version in _HZ
    if not is_frame or hz_index == 3 or not 0 < rate_index < len(rates):
        return None
    samples, hz = 1_152 if version == _MPEG_1 else 576, _HZ[version][hz_index]
    return samples // 8 * rates[rate_index] * 1_000 // hz + padding, samples / hz


def _adts_frame(head: bytes) -> _Frame | None:
    header = int.from_bytes(head, "big")
    hz_index, length, blocks = header >> 34 & 15, header >> 13 & 0x1FFF, header & 3
    if header >> 44 != _ADTS_SYNC or hz_index >= len(_ADTS_HZ) or length < 7:
        return None
    return length, 1_024 * (blocks + 1) / _ADTS_HZ[hz_index]
