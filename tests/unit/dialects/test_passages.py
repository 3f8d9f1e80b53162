"""Which way a request takes to its provider, and that a way through chat is two translations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from bursar.dialects import passages
from bursar.dialects.chat_wire import CHAT
from bursar.dialects.openai_chat import parse_chat
from bursar.dialects.passage import PassThrough, Translation
from bursar.dialects.passages import passage_to
from bursar.dialects.request import Terms
from bursar.dialects.sse import data_of
from bursar.dialects.translator import Asked
from bursar.domain.errors import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.dialects.request import InferenceRequest

ASKED = Asked("openai:m", wants_usage=False, created_s=1_790_000_000)
BODY = b'{"model":"openai:m","messages":[{"role":"user","content":"hi"}],"stream":true}'


class Marking:
    """A translator that leaves its mark on whatever passes."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "way": [*document.get("way", []), self._mark]}

    def answer(self, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "back": [*document.get("back", []), self._mark]}

    def stream(self) -> Marking:
        return self

    def event(self, event: dict[str, Any]) -> Iterable[dict[str, Any]]:
        yield self.answer(event)

    def end(self) -> Iterable[dict[str, Any]]:
        yield {"ends": self._mark}


@pytest.fixture
def _marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace translators by ones that leave marks."""
    genuine = passages._loaded

    def loaded(name: str) -> Any:
        module, _, attribute = name.partition(":")
        return (
            (lambda _: Marking(module))
            if attribute[0].isupper() and "_to_" in module
            else (genuine(name))
        )

    monkeypatch.setattr(passages, "_loaded", loaded)
    monkeypatch.setattr(passages, "_wire", lambda _: CHAT)


class As:
    """A chat request that claims another dialect."""

    def __init__(self, operation: str) -> None:
        self._request = parse_chat(BODY)
        self.operation = operation

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


def _request(operation: str) -> InferenceRequest:
    request: Any = As(operation)
    return request  # type: ignore[no-any-return]


def test_bytes_pass_where_the_provider_speaks_the_callers_dialect() -> None:
    passage = passage_to(_request("chat"), ("messages", "chat"), ASKED)
    assert isinstance(passage, PassThrough)
    assert passage.operation == "chat"
    assert passage.whole(b"anything") == b"anything"
    assert passage.refusal(400, b"theirs") == b"theirs"


@pytest.mark.usefixtures("_marked")
@pytest.mark.parametrize(
    ("caller", "provider", "way"),
    [
        ("chat", "messages", ["chat_to_messages"]),
        ("chat", "converse", ["chat_to_converse"]),
        ("messages", "chat", ["messages_to_chat"]),
        ("messages", "converse", ["messages_to_chat", "chat_to_converse"]),
        ("responses", "chat", ["responses_to_chat"]),
        ("responses", "messages", ["responses_to_chat", "chat_to_messages"]),
        ("responses", "converse", ["responses_to_chat", "chat_to_converse"]),
    ],
)
def test_a_request_goes_through_chat_where_there_is_no_translator_of_its_own(
    caller: str, provider: str, way: list[str]
) -> None:
    passage = passage_to(_request(caller), (provider,), ASKED)
    assert isinstance(passage, Translation)
    assert passage.operation == provider
    sent = msgspec.json.decode(passage.body(Terms("m")))
    assert sent["way"] == way
    answer = msgspec.json.decode(passage.whole(b"{}"))
    assert answer["back"] == way[::-1]


def test_the_ends_of_two_translations_come_in_their_order() -> None:
    chain = passages._chained([Marking("callers"), Marking("providers")])
    stream = chain.stream()
    assert list(stream.event({})) == [{"back": ["providers", "callers"]}]
    assert list(stream.end()) == [{"ends": "providers", "back": ["callers"]}, {"ends": "callers"}]


@pytest.mark.usefixtures("_marked")
def test_a_translated_chat_stream_ends_with_done() -> None:
    passage = passage_to(_request("chat"), ("messages",), ASKED)
    assert passage is not None
    reader = passage.stream()
    frames = b'data: {"choices":[]}\n\ndata: [DONE]\n\n'
    out = b"".join(reader.feed(frames[at : at + 1]) for at in range(len(frames)))
    assert data_of(out) == b'{"choices":[],"back":["chat_to_messages"]}'
    assert reader.is_done
    assert reader.last_words() == b'data: {"ends":"chat_to_messages"}\n\ndata: [DONE]\n\n'


def test_without_a_way_there_is_no_passage() -> None:
    assert passage_to(_request("embeddings"), ("chat",), ASKED) is None
    assert passage_to(_request("chat"), ("embeddings", "responses"), ASKED) is None
    assert passage_to(_request("chat"), (), ASKED) is None


@pytest.mark.usefixtures("_marked")
@pytest.mark.parametrize("failure", [KeyError("content"), TypeError("str"), IndexError()])
def test_an_event_that_is_not_made_like_its_dialects_breaks_the_stream(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def misread(_: Marking, __: dict[str, Any]) -> Iterable[dict[str, Any]]:
        raise failure

    monkeypatch.setattr(Marking, "event", misread)
    passage = passage_to(_request("chat"), ("messages",), ASKED)
    assert passage is not None
    with pytest.raises(UpstreamBroken):
        passage.stream().feed(b'data: {"choices":[]}\n\n')
