"""How long audio can be, by its bytes.

A WAV file of plain samples says so exactly. Any other is taken for the longest that its format
makes of so many bytes at the lowest rate at which speech is coded; silence can be coded tighter,
and then costs more than was held for it, which is recorded.

Sources: RIFF/WAVE's `fmt ` chunk; MPEG audio's lowest rate is 8 kbit/s (ISO 11172-3 and 13818-3),
that of Opus 6 kbit/s (RFC 6716, section 2.1.1), FLAC of speech takes several times 16 kbit/s.
"""

from __future__ import annotations

import struct
from typing import Final

_SPEECH_BYTES_PER_S: Final = 750
_MPEG_BYTES_PER_S: Final = 1_000
_FLAC_BYTES_PER_S: Final = 2_000
_MPEG_STARTS: Final = (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3")

_WAV_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH")
_PLAIN_SAMPLES: Final = frozenset({1, 3, 6, 7})  # integers, floats, A-law, mu-law


def seconds_max(audio: bytes) -> int:
    """Begun seconds, at the most."""
    exact = wav_seconds(audio)
    if exact is not None:
        return exact
    if audio.startswith(_MPEG_STARTS):
        return _begun(len(audio), _MPEG_BYTES_PER_S)
    rate = _FLAC_BYTES_PER_S if audio.startswith(b"fLaC") else _SPEECH_BYTES_PER_S
    return _begun(len(audio), rate)


def wav_seconds(audio: bytes) -> int | None:
    """Begun seconds of a WAV file, None if it is none, or not one of plain samples.

    What the header says of its samples must agree with itself; how many there are is told by the
    bytes that came, not by the header.
    """
    if len(audio) < _WAV_HEADER.size:
        return None
    riff, _, wave, fmt, _, kind, channels, rate, bytes_per_s, block, bits = _WAV_HEADER.unpack_from(
        audio
    )
    if (riff, wave, fmt) != (b"RIFF", b"WAVE", b"fmt ") or kind not in _PLAIN_SAMPLES:
        return None
    if not bytes_per_s or block * 8 != channels * bits or bytes_per_s != rate * block:
        return None
    return _begun(len(audio), bytes_per_s)


def _begun(count: int, per_s: int) -> int:
    return -(-count // per_s)
