"""Pictures, speech, transcripts, moderations and rankings in their vendors' shapes."""

from __future__ import annotations

import base64
import io
import json
import wave
from typing import TYPE_CHECKING, Any

from tests.fakes.forms import mp3, wav

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.uploads import Upload

CREATED = 1_790_000_000
TEXT = "Grüße aus dem Äther."
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(64))).decode()
IMAGE_TOKENS = 1_056
AUDIO_TOKENS_PER_S = 20
CHARACTERS_PER_S = 14
_AUDIO_TYPES = {"mp3": "audio/mpeg", "pcm": "audio/pcm"}


def image_body(fields: Mapping[str, Any], shown: int) -> bytes:
    """GPT Image's answer with its tokens, and any other model's with addresses alone."""
    count = int(fields.get("n") or 1)
    if "gpt-image" not in fields["model"]:
        data = [{"url": f"https://images.example/{index}.png"} for index in range(count)]
        return _json({"created": CREATED, "data": data})
    return _json(
        {
            "created": CREATED,
            "background": "opaque",
            "data": [{"b64_json": PNG} for _ in range(count)],
            "output_format": "png",
            "quality": "medium",
            "size": "1024x1024",
            "usage": image_usage(fields, shown, count),
        }
    )


def image_usage(fields: Mapping[str, Any], shown: int, count: int) -> dict[str, Any]:
    words, pictures = len(str(fields["prompt"]).split()), shown * 1_000
    drawn = count * IMAGE_TOKENS + 100 * int(fields.get("partial_images") or 0)
    return {
        "input_tokens": words + pictures,
        "input_tokens_details": {"image_tokens": pictures, "text_tokens": words},
        "output_tokens": drawn,
        "total_tokens": words + pictures + drawn,
    }


def image_events(fields: Mapping[str, Any], shown: int) -> Iterator[bytes]:
    kind = "image_edit" if shown else "image_generation"
    common = {
        "b64_json": PNG,
        "created_at": CREATED,
        "size": "1024x1024",
        "quality": "medium",
        "background": "opaque",
        "output_format": "png",
    }
    for index in range(int(fields.get("partial_images") or 0)):
        partial = {"type": f"{kind}.partial_image", **common, "partial_image_index": index}
        yield _named(partial)
    usage = image_usage(fields, shown, 1)
    yield _named({"type": f"{kind}.completed", **common, "usage": usage})


def speech_seconds(fields: Mapping[str, Any]) -> int:
    return -(-len(fields["input"]) // CHARACTERS_PER_S)


def speech(fields: Mapping[str, Any]) -> tuple[str, bytes]:
    """The content type, and silence of a fitting length."""
    kind = fields.get("response_format") or "mp3"
    audio = wav(speech_seconds(fields), rate=24_000)
    content = {"wav": audio, "pcm": audio[44:], "mp3": mp3(speech_seconds(fields))}
    return _AUDIO_TYPES.get(kind, f"audio/{kind}"), content.get(kind, audio[44::12])


def speech_events(fields: Mapping[str, Any]) -> Iterator[bytes]:
    _, audio = speech(fields)
    for piece in (audio[: len(audio) // 2], audio[len(audio) // 2 :]):
        yield _data({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    read, spoken = len(fields["input"].split()), speech_seconds(fields) * AUDIO_TOKENS_PER_S
    usage = {"input_tokens": read, "output_tokens": spoken, "total_tokens": read + spoken}
    yield _data({"type": "speech.audio.done", "usage": usage})


def transcript(fields: Mapping[str, Any]) -> tuple[str, bytes]:
    """The content type and the transcript, as the request wants it."""
    kind = fields.get("response_format") or "json"
    cue = "00:00:00{0}000 --> 00:00:01{0}000\n" + TEXT + "\n\n"
    plain = {
        "text": TEXT + "\n",
        "srt": "1\n" + cue.format(","),
        "vtt": "WEBVTT\n\n" + cue.format("."),
    }
    if kind in plain:
        return "text/plain; charset=utf-8", plain[kind].encode()
    body: dict[str, Any] = {"text": TEXT, "usage": transcript_usage(fields)}
    if kind == "verbose_json":
        body |= {"task": "transcribe", "language": "german", "segments": []}
        body["duration"] = wav_length_s(fields["file"])
    return "application/json", _json(body)


def transcript_usage(fields: Mapping[str, Any]) -> dict[str, Any]:
    seconds = wav_length_s(fields["file"])
    if not fields["model"].startswith("gpt-4o"):
        return {"type": "duration", "seconds": seconds}
    audio, words = int(seconds * 10), len(TEXT.split())
    return {
        "type": "tokens",
        "input_tokens": audio,
        "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
        "output_tokens": words,
        "total_tokens": audio + words,
    }


def transcript_events(fields: Mapping[str, Any]) -> Iterator[bytes]:
    for word in TEXT.split():
        yield _data({"type": "transcript.text.delta", "delta": f"{word} "})
    yield _data({"type": "transcript.text.done", "text": TEXT, "usage": transcript_usage(fields)})


def wav_length_s(upload: Upload) -> float:
    with wave.open(io.BytesIO(upload.content)) as audio:
        return float(audio.getnframes() / audio.getframerate())


def moderation(fields: Mapping[str, Any]) -> bytes:
    given = fields["input"]
    result = {
        "flagged": False,
        "categories": {"violence": False},
        "category_scores": {"violence": 0.01},
        "category_applied_input_types": {"violence": ["text"]},
    }
    results = [result for _ in (given if isinstance(given, list) else [given])]
    return _json({"id": "modr-fake", "model": fields["model"], "results": results})


def ranking(fields: Mapping[str, Any], *, is_cohere: bool) -> bytes:
    """Cohere's shape, or that of Jina, which Voyage's is but for names."""
    order = list(range(len(fields["documents"])))[: fields.get("top_n") or fields.get("top_k")]
    results = [{"index": index, "relevance_score": 1 / (index + 1)} for index in order]
    if is_cohere:
        meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
        return _json({"id": "rank-fake", "results": results, "meta": meta})
    tokens = sum(len(str(document).split()) + 1 for document in fields["documents"])
    return _json({"model": fields["model"], "results": results, "usage": {"total_tokens": tokens}})


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _data(event: Mapping[str, Any]) -> bytes:
    return b"data: " + _json(event) + b"\n\n"


def _named(event: Mapping[str, Any]) -> bytes:
    return f"event: {event['type']}\n".encode() + _data(event)
