"""Reads the fields of a chat request that are plain values, the same for every other dialect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bursar.dialects.chat_reading.fields import Fields

# Fields with the values that ask for nothing but what every provider does.
_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "modalities": (["text"],),
    "store": (False,),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Plain values.

    Attributes:
        output_tokens: the output limit that the request sets.
        temperature: from 0 to 1.
        stop: texts that end the answer.
        end_user: an opaque id of the person behind the request.
    """

    output_tokens: int | None
    temperature: float | None
    top_p: float | None
    stop: tuple[str, ...]
    end_user: str | None


def read_settings(request: Fields) -> Settings:
    """The request's plain values.

    Raises:
        Untranslatable: a field asks for what other dialects do not have.
        InvalidRequest: a value is of the wrong type.
    """
    for name, values in _NEUTRAL.items():
        request.only(name, values)
    # The wire sets the model and the stream; the rest says where OpenAI keeps its own cache.
    request.leave("model", "stream")
    request.leave("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention")
    _read_stream_options(request)
    longest, older = request.take("max_completion_tokens", int), request.take("max_tokens", int)
    older_user = request.take("user", str)
    return Settings(
        output_tokens=older if longest is None else longest,
        temperature=_temperature(request),
        top_p=request.take("top_p", float),
        stop=_stop(request),
        end_user=request.take("safety_identifier", str) or older_user,
    )


def _read_stream_options(request: Fields) -> None:
    """Usage in the stream is the answer's matter; padding is what no other provider does."""
    options = request.inner("stream_options")
    if options is not None:
        options.take("include_usage", bool)
        options.only("include_obfuscation", [False])
        options.close()


def _temperature(request: Fields) -> float | None:
    temperature = request.take("temperature", float)
    if temperature is not None and temperature > 1:
        raise request.refusal("temperature", f"must be at most 1 for {request.dialect}")
    return temperature


def _stop(request: Fields) -> tuple[str, ...]:
    stop = request.take_any("stop")
    texts = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidRequest("'stop' must be a string or a list of strings", param="stop")
    return tuple(texts)
