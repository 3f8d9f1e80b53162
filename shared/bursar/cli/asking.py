"""Asks a model through a gateway, with a virtual key, and measures the answer."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.chat_dialects import Tokens, error_of
from bursar.cli.client import client
from bursar.cli.connection import read_answer, sendable
from bursar.cli.exact_json import dumped
from bursar.cli.failures import Failed
from bursar.cli.silence import silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bursar.cli.chat_dialects import ChatDialect, Question

_CONNECT_S: Final = 10.0
# The longest that a gateway lets a request take, and a little more.
_ANSWER_S: Final = 900.0
_DONE: Final = "[DONE]"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        model: who served, as `provider:model`.
        route: why it was that one.
        cost_usd: None where the gateway has not told yet, as in a stream.
        first_token_ms: None for an answer that came as a whole.
        output_limit: tokens that the gateway cut the answer's length to, for its budget.
        is_whole: it was not interrupted.
    """

    text: str = ""
    tokens: Tokens = field(default_factory=Tokens)
    request_id: str | None = None
    model: str | None = None
    route: str | None = None
    cost_usd: Decimal | None = None
    first_token_ms: int | None = None
    duration_ms: int = 0
    output_limit: int | None = None
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Asker:
    """A gateway's data plane and the key that it is asked with."""

    url: str
    key: str = field(repr=False)

    def ask(self, dialect: ChatDialect, question: Question, show: Callable[[str], None]) -> Answer:
        """Send a question; hand over each piece of a streamed answer as it comes.

        An interrupt ends a stream early and is no error here: the answer is not whole then.

        Raises:
            RefusedByGateway: it answered with an error.
            Failed: it did not answer, or the stream broke.
        """
        import httpx2  # noqa: PLC0415 (half of what starting this command would cost)

        headers = {
            "authorization": f"Bearer {sendable(self.key)}",
            "content-type": "application/json",
        }
        http = client(self.url)
        begun_s = time.monotonic()
        try:
            with http.stream(
                "POST",
                self.url.rstrip("/") + dialect.path,
                content=dumped(dialect.body(question)).encode(),
                headers=headers,
                timeout=httpx2.Timeout(_ANSWER_S, connect=_CONNECT_S),
            ) as response:
                if response.is_error or not question.is_streamed:
                    found = read_answer(response.status_code, response.read(), response.headers)
                    answer = Answer(dialect.text(found), dialect.tokens(found))
                else:
                    answer = _streamed(dialect, response.iter_lines(), begun_s, show)
                duration_ms = _since_ms(begun_s)
                return replace(_told(answer, response.headers), duration_ms=duration_ms)
        except httpx2.HTTPError as error:
            raise silence(self.url, error) from None


def _streamed(
    dialect: ChatDialect, lines: Iterable[str], begun_s: float, show: Callable[[str], None]
) -> Answer:
    pieces: list[str] = []
    tokens, first_ms, is_whole = Tokens(), None, True
    try:
        for event in _events(lines):
            wrong = error_of(event)
            if wrong is not None:
                raise Failed(f"The stream broke: {wrong}")
            tokens = tokens.joined(dialect.tokens(event))
            piece = dialect.piece(event)
            if piece:
                first_ms = _since_ms(begun_s) if first_ms is None else first_ms
                pieces.append(piece)
                show(piece)
    except KeyboardInterrupt:
        is_whole = False
    return Answer("".join(pieces), tokens, first_token_ms=first_ms, is_whole=is_whole)


def _events(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Each event of a stream; all three dialects write one to a line."""
    for line in lines:
        name, _, data = line.partition(":")
        if name == "data" and data.strip() not in ("", _DONE):
            yield json.loads(data)


def _told(answer: Answer, headers: Mapping[str, str]) -> Answer:
    """An answer with what its headers say."""
    cost, limit = headers.get("x-bursar-cost-usd"), headers.get("x-bursar-output-limit")
    return replace(
        answer,
        request_id=headers.get("x-request-id"),
        model=headers.get("x-bursar-model"),
        route=headers.get("x-bursar-route"),
        cost_usd=None if cost is None else Decimal(cost),
        output_limit=None if limit is None else int(limit),
    )


def _since_ms(begun_s: float) -> int:
    return round((time.monotonic() - begun_s) * 1000)
