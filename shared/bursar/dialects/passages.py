"""Which passage a request takes to a model: the shortest one that its provider's dialects allow.

Chat is the hub: what has no translator of its own goes through it. Modules are loaded when the
first request needs them, because every cold start would pay for all of them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, cast

from bursar.dialects.openai_stream import DONE_FRAME
from bursar.dialects.passage import PassThrough, Translation
from bursar.dialects.passed_operations import PASSED_OPERATIONS
from bursar.dialects.sse import data_frames, named_frames

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from bursar.dialects.passage import Passage, WireDialect
    from bursar.dialects.request import InferenceRequest
    from bursar.dialects.translator import Asked, StreamTranslator, Translator

_BEDROCK_EMBEDDINGS: Final = ("titan_embeddings", "cohere_embeddings", "nova_embeddings")
_WIRES: Final[Mapping[str, str]] = {
    "chat": "chat_wire:CHAT",
    "messages": "messages_wire:MESSAGES",
    "responses": "responses_wire:RESPONSES",
    "converse": "converse_wire:CONVERSE",
    "count_tokens": "passed.wires:COUNTED",
    "embeddings": "passed.wires:COUNTED",
    **dict.fromkeys(_BEDROCK_EMBEDDINGS, "embeddings_to_bedrock.wires:BEDROCK_EMBEDDINGS"),
    **{passed.operation: passed.wire for passed in PASSED_OPERATIONS.values()},
}
_TRANSLATORS: Final[Mapping[tuple[str, str], str]] = {
    ("chat", "messages"): "chat_to_messages:ChatToMessages",
    ("chat", "converse"): "chat_to_converse:ChatToConverse",
    ("messages", "chat"): "messages_to_chat:MessagesToChat",
    ("responses", "chat"): "responses_to_chat:ResponsesToChat",
    ("embeddings", "titan_embeddings"): "embeddings_to_bedrock.titan:EmbeddingsToTitan",
    ("embeddings", "cohere_embeddings"): "embeddings_to_bedrock.cohere:EmbeddingsToCohere",
    ("embeddings", "nova_embeddings"): "embeddings_to_bedrock.nova:EmbeddingsToNova",
}
# The dialects on the way to the provider's, in the order of preference.
_WAYS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "chat": (("messages",), ("converse",)),
    "messages": (("chat",), ("chat", "converse")),
    "responses": (("chat",), ("chat", "messages"), ("chat", "converse")),
    "embeddings": tuple((operation,) for operation in _BEDROCK_EMBEDDINGS),
}


def passage_to(
    request: InferenceRequest, operations: Collection[str], asked: Asked
) -> Passage | None:
    """The passage of a request to a model with these operations, None if there is none."""
    if request.operation in operations:
        return PassThrough(request, _wire(request.operation))
    for way in _WAYS.get(request.operation, ()):
        if way[-1] in operations:
            return _translation(request, way, asked)
    return None


def _translation(request: InferenceRequest, way: tuple[str, ...], asked: Asked) -> Translation:
    first, *others = pairwise((request.operation, *way))
    # A caller's own translator needs the usage that the next one's chat stream ends with.
    within = replace(asked, wants_usage=True)
    translator = _chained(
        [_translator(first, asked), *(_translator(hop, within) for hop in others)]
    )
    is_chat = request.operation == "chat"
    return Translation(
        request,
        way[-1],
        _wire(way[-1]),
        translator,
        framed=data_frames if is_chat else named_frames,
        closing=DONE_FRAME if is_chat else b"",
    )


def _translator(hop: tuple[str, str], asked: Asked) -> Translator:
    return cast("Translator", _loaded(_TRANSLATORS[hop])(asked))


def _wire(operation: str) -> WireDialect:
    return cast("WireDialect", _loaded(_WIRES[operation]))


@cache
def _loaded(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(f"bursar.dialects.{module}"), attribute)


def _chained(translators: list[Translator]) -> Translator:
    first, *others = translators
    return _Chain(first, _chained(others)) if others else first


class _Chain:
    """Two translators, the caller's first."""

    def __init__(self, first: Translator, second: Translator) -> None:
        self._first = first
        self._second = second

    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        return self._second.request(self._first.request(document))

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        return self._first.answer(self._second.answer(document))

    def stream(self) -> StreamTranslator:
        return _ChainedStream(self._first.stream(), self._second.stream())


class _ChainedStream:
    def __init__(self, first: StreamTranslator, second: StreamTranslator) -> None:
        self._first = first
        self._second = second

    def event(self, event: dict[str, Any]) -> Iterable[dict[str, Any]]:
        for between in self._second.event(event):
            yield from self._first.event(between)

    def end(self) -> Iterable[dict[str, Any]]:
        for between in self._second.end():
            yield from self._first.event(between)
        yield from self._first.end()
