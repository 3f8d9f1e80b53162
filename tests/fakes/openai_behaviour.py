"""What a fake provider does with a request, said by its model's name or a `fake` field.

A model's name is read as parts between `+`, each a word with an optional argument after a hyphen:
`exact-100+slow-0.01+rst-3` reports 100 prompt tokens, sends an event every 10 ms and resets the
connection after the third. Unknown words are ignored, so `gpt-4o` is an ordinary model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Usage = Literal["asked", "never", "in_last_content"]
Fault = Literal["none", "rst", "fin", "stall", "no_done", "error_event"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One request's script.

    Attributes:
        status: other than 200 it answers an error whose text holds `UPSTREAM_SECRET`.
        retry_after: the Retry-After header of an error.
        prompt_tokens: as usage reports them; all input, cached or not.
        cached_tokens: as usage reports them, of the prompt tokens.
        cache_write_tokens: as usage reports them, of the prompt tokens.
        cache_write_1h_tokens: the same, kept for an hour; Anthropic's shape only.
        thinking_tokens: words of reasoning before the answer, of the completion tokens.
        web_searches: searches of the web before the answer; Anthropic's shape only.
        hostile: uses exactly what it was allowed: as many output tokens as the request's limit
            and as many input tokens as its text has bytes, at the dearest rate.
        completion_tokens: None for the request's own limit, and five where it has none.
        stop: the reason to report why the answer ended, in the provider's own words.
        usage: "asked" reports it as the provider does.
        fault: how the answer goes wrong: a reset, an early FIN, silence, no terminal event, an
            error as an event.
        fault_after: the events before that, or for a plain answer the bytes.
        delay_s: before the first byte.
        pace_s: between events.
        hang: never answers.
        chunk_bytes: sends pieces of this many bytes, whatever the events.
        tool_call: answers with a call of each of the request's tools, until it gets their results.
        gzip: compresses the answer, asked or not.
        is_held: while it says so, nothing is sent but the first event of a stream.
    """

    status: int = 200
    retry_after: str | None = None
    prompt_tokens: int = 9
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    thinking_tokens: int = 0
    web_searches: int = 0
    hostile: bool = False
    completion_tokens: int | None = None
    stop: str | None = None
    usage: Usage = "asked"
    fault: Fault = "none"
    fault_after: int = 1
    delay_s: float = 0.0
    pace_s: float = 0.0
    hang: bool = False
    chunk_bytes: int | None = None
    tool_call: bool = False
    gzip: bool = False
    is_held: Callable[[], bool] | None = None


def _faulty(fault: Fault) -> Callable[[str], Mapping[str, Any]]:
    return lambda after: {"fault": fault, "fault_after": int(after or 1)}


_WORDS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "exact": lambda tokens: {"prompt_tokens": int(tokens or 9)},
    "words": lambda tokens: {"completion_tokens": int(tokens)},
    "cached": lambda tokens: {"cached_tokens": int(tokens)},
    "cachewrite": lambda tokens: {"cache_write_tokens": int(tokens)},
    "cachewrite1h": lambda tokens: {"cache_write_1h_tokens": int(tokens)},
    "thinks": lambda tokens: {"thinking_tokens": int(tokens or 3)},
    "searches": lambda times: {"web_searches": int(times or 1)},
    "hostile": lambda _: {"hostile": True},
    "stops": lambda reason: {"stop": reason},
    "nousage": lambda _: {"usage": "never"},
    "usageinlast": lambda _: {"usage": "in_last_content"},
    "rst": _faulty("rst"),
    "fin": _faulty("fin"),
    "stall": _faulty("stall"),
    "nodone": _faulty("no_done"),
    "errorevent": _faulty("error_event"),
    "error": lambda status: {"status": int(status or 500)},
    "retryafter": lambda value: {"retry_after": value},
    "delay": lambda seconds: {"delay_s": float(seconds)},
    "slow": lambda seconds: {"pace_s": float(seconds)},
    "hang": lambda _: {"hang": True},
    "pieces": lambda size: {"chunk_bytes": int(size or 1)},
    "tools": lambda _: {"tool_call": True},
    "gzip": lambda _: {"gzip": True},
}


def behaviour_of(model: str, control: Mapping[str, Any] | None = None) -> Behaviour:
    """The script of a model's name, with the fields of a request's `fake` object over it."""
    behaviour = Behaviour()
    for part in model.split("+"):
        word, _, argument = part.partition("-")
        if word in _WORDS:
            behaviour = replace(behaviour, **_WORDS[word](argument))
    return replace(behaviour, **control) if control else behaviour
