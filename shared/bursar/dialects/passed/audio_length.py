"""How long audio is, or can be, by its bytes.

A WAV file of plain samples and an MP3 file say so exactly. An upload in any other format is taken
for the longest that so many bytes make at the lowest rate at which speech is coded; silence can be
coded tighter, and then costs more than was held for it, which is recorded. What a provider made is
believed: Ogg and FLAC tell their length in a header.

Sources: RIFF/WAVE's `fmt ` chunk; the lowest rate of Opus is 6 kbit/s (RFC 6716, section 2.1.1),
that of MPEG audio 8 kbit/s, and FLAC of speech takes several times 16 kbit/s; Ogg's granules are
samples of 48 kHz with Opus (RFC 7845, section 4); FLAC's STREAMINFO is in RFC 9639, section 8.2.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Final

from bursar.dialects.passed.frames import adts_seconds, mp3_seconds

_SPEECH_BYTES_PER_S: Final = 750
_MPEG_BYTES_PER_S: Final = 1_000
_FLAC_BYTES_PER_S: Final = 2_000
# Samples without a header, at the rate of telephones; others have more.
_RAW_BYTES_PER_S: Final = 8_000
_MPEG_STARTS: Final = (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3")

_WAV_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH")
_PLAIN_SAMPLES: Final = frozenset({1, 3, 6, 7})  # integers, floats, A-law, mu-law
_OGG, _FLAC = b"OggS", b"fLaC"
_OPUS_HZ: Final = 48_000
_FLAC_INFO_BYTES: Final = 26


@dataclass(frozen=True, slots=True)
class AudioLength:
    """How long an upload is.

    Attributes:
        seconds: begun ones, at the most.
        is_exact: every byte of the upload is accounted for.
    """

    seconds: int
    is_exact: bool = False


def length_of(audio: bytes) -> AudioLength:
    """The length of an upload."""
    exact = wav_seconds(audio)
    if exact is None:
        exact = mp3_seconds(audio)
    if exact is not None:
        return AudioLength(math.ceil(exact), is_exact=True)
    if audio.startswith(_MPEG_STARTS):
        return AudioLength(_begun(len(audio), _MPEG_BYTES_PER_S))
    rate = _FLAC_BYTES_PER_S if audio.startswith(_FLAC) else _SPEECH_BYTES_PER_S
    return AudioLength(_begun(len(audio), rate))


def spoken_seconds(audio: bytes) -> float:
    """Length of audio that a provider made, at the most."""
    exact = wav_seconds(audio) or mp3_seconds(audio) or adts_seconds(audio)
    if exact is not None:
        return exact
    if audio.startswith(_OGG):
        return _ogg_seconds(audio) or len(audio) / _SPEECH_BYTES_PER_S
    if audio.startswith(_FLAC):
        return _flac_seconds(audio) or len(audio) / _FLAC_BYTES_PER_S
    rate = _MPEG_BYTES_PER_S if audio.startswith(_MPEG_STARTS) else _RAW_BYTES_PER_S
    return len(audio) / rate


def wav_seconds(audio: bytes) -> float | None:
    """Length of a WAV file, None if it is none, or not one of plain samples.

    What the header says of its samples must agree with itself, and nothing may say it once more: a
    decoder may believe either. How many there are is told by the bytes that came, not by the
    header.
    """
    if len(audio) < _WAV_HEADER.size:
        return None
    riff, _, wave, fmt, _, kind, channels, rate, bytes_per_s, block, bits = _WAV_HEADER.unpack_from(
        audio
    )
    if (riff, wave, fmt) != (b"RIFF", b"WAVE", b"fmt ") or kind not in _PLAIN_SAMPLES:
        return None
    if audio.find(b"fmt ", _WAV_HEADER.size) >= 0:
        return None
    if not bytes_per_s or block * 8 != channels * bits or bytes_per_s != rate * block:
        return None
    # Where the samples follow at once, the head of their chunk is no sound.
    start = _WAV_HEADER.size + (8 if audio.startswith(b"data", _WAV_HEADER.size) else 0)
    return max(len(audio) - start, 0) / int(bytes_per_s)


def _ogg_seconds(audio: bytes) -> float:
    """The last page's position."""
    last = audio.rfind(_OGG)
    position = int.from_bytes(audio[last + 6 : last + 14], "little", signed=True)
    return max(position, 0) / _OPUS_HZ


def _flac_seconds(audio: bytes) -> float:
    """The number of samples by their rate; 0 where the header leaves it open."""
    info = int.from_bytes(audio[18:_FLAC_INFO_BYTES], "big")
    rate, samples = info >> 44, info & 0xFFFFFFFFF
    return samples / rate if rate else 0.0


def _begun(count: int, per_s: int) -> int:
    return -(-count // per_s)
