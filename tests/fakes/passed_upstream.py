"""The routes of a fake provider that make pictures, speak, listen, classify and sort."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tests.fakes import openai_shapes, passed_shapes
from tests.fakes.openai_behaviour import behaviour_of
from tests.fakes.scripted_answers import (
    FOREVER_S,
    Voice,
    answer_error,
    answer_stream,
    answer_whole,
)
from tests.fakes.uploads import Upload, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.fakes.fake_provider import FakeProvider
    from tests.fakes.http_server import Exchange

    Whole = tuple[str, bytes]

PASSED: Final = Voice(
    {"x-request-id": "req_fake"}, openai_shapes.error_body, openai_shapes.error_event
)
_JSON: Final = "application/json"


async def answer_passed(fake: FakeProvider, exchange: Exchange) -> bool:
    """Answer a request to one of these routes; tell whether it was one."""
    tail = "/" + exchange.request.route.rpartition("/")[2]
    if tail not in _WHOLE:
        return False
    fields = fields_of(exchange.request)
    model = str(fields.get("model", ""))
    behaviour = fake.behaviours.get(model) or behaviour_of(model)
    await exchange.pause(FOREVER_S if behaviour.hang else behaviour.delay_s)
    if behaviour.status != 200:
        await answer_error(exchange, PASSED, behaviour)
    elif _is_streamed(fields) and tail in _EVENTS:
        await answer_stream(exchange, PASSED, _EVENTS[tail](fields), behaviour)
    else:
        kind, body = _WHOLE[tail](fields)
        voice = replace(PASSED, headers={**PASSED.headers, "content-type": kind})
        await answer_whole(exchange, voice, body, behaviour)
    return True


def _is_streamed(fields: Mapping[str, Any]) -> bool:
    # whisper-1 ignores that a stream is asked for.
    is_asked = fields.get("stream") in (True, "true") or fields.get("stream_format") == "sse"
    return is_asked and not str(fields.get("model")).startswith("whisper")


def _shown(fields: Mapping[str, Any]) -> int:
    given = [it for it in fields.values() if isinstance(it, Upload)]
    lists = [it for it in fields.values() if isinstance(it, list)]
    return len(given) + sum(isinstance(it, Upload) for items in lists for it in items)


def _ranking(fields: Mapping[str, Any]) -> bytes:
    return passed_shapes.ranking(fields, is_cohere=str(fields["model"]).startswith("rerank-v"))


_WHOLE: Final[Mapping[str, Callable[[dict[str, Any]], Whole]]] = {
    "/generations": lambda fields: (_JSON, passed_shapes.image_body(fields, 0)),
    "/edits": lambda fields: (_JSON, passed_shapes.image_body(fields, _shown(fields))),
    "/speech": passed_shapes.speech,
    "/transcriptions": passed_shapes.transcript,
    "/translations": passed_shapes.transcript,
    "/moderations": lambda fields: (_JSON, passed_shapes.moderation(fields)),
    "/rerank": lambda fields: (_JSON, _ranking(fields)),
}
_EVENTS: Final[Mapping[str, Callable[[dict[str, Any]], Iterator[bytes]]]] = {
    "/generations": lambda fields: passed_shapes.image_events(fields, 0),
    "/edits": lambda fields: passed_shapes.image_events(fields, _shown(fields)),
    "/speech": passed_shapes.speech_events,
    "/transcriptions": passed_shapes.transcript_events,
}
