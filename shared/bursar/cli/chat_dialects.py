"""The three ways to ask a model something: OpenAI's chat and responses, Anthropic's messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Document = dict[str, Any]
# Anthropic's dialect has no request without a limit.
_MESSAGES_TOKENS_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked.

    Attributes:
        turns: what was said so far, the newest last; `role` and `content` each.
        tokens_max: the longest answer; None leaves it to the gateway.
        is_streamed: the answer comes piece by piece.
    """

    model: str
    turns: tuple[Mapping[str, str], ...]
    system: str | None = None
    tokens_max: int | None = None
    is_streamed: bool = True


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a question and its answer were counted as."""

    input: int = 0
    output: int = 0

    def joined(self, other: Tokens) -> Tokens:
        """Counts only grow while an answer is streamed."""
        return Tokens(max(self.input, other.input), max(self.output, other.output))


@dataclass(frozen=True, slots=True)
class ChatDialect:
    """One of them.

    Attributes:
        body: the request for a question.
        piece: the text that an event adds to the answer.
        text: a whole answer's.
        tokens: what a whole answer, or an event, counts.
    """

    path: str
    body: Callable[[Question], Document]
    piece: Callable[[Document], str]
    text: Callable[[Document], str]
    tokens: Callable[[Document], Tokens]


def error_of(event: Document) -> str | None:
    """What an event says went wrong, None where it says nothing of the kind."""
    found = event.get("error") or (event.get("response") or {}).get("error")
    if isinstance(found, dict):
        return str(found.get("message") or found)
    if event.get("type") == "error":
        return str(event.get("message") or "The stream broke")
    return None


def _chat_body(question: Question) -> Document:
    system = [] if question.system is None else [{"role": "system", "content": question.system}]
    body: Document = {"model": question.model, "messages": [*system, *question.turns]}
    if question.is_streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if question.tokens_max is not None:
        body["max_completion_tokens"] = question.tokens_max
    return body


def _chat_piece(event: Document) -> str:
    choices = event.get("choices") or [{}]
    return (choices[0].get("delta") or {}).get("content") or ""


def _chat_text(answer: Document) -> str:
    return answer["choices"][0]["message"].get("content") or ""


def _chat_tokens(document: Document) -> Tokens:
    usage = document.get("usage") or {}
    return Tokens(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)


def _messages_body(question: Question) -> Document:
    body: Document = {
        "model": question.model,
        "messages": list(question.turns),
        "max_tokens": question.tokens_max or _MESSAGES_TOKENS_MAX,
        "stream": question.is_streamed,
    }
    return body if question.system is None else {**body, "system": question.system}


def _messages_piece(event: Document) -> str:
    return (event.get("delta") or {}).get("text") or ""


def _messages_text(answer: Document) -> str:
    return "".join(block.get("text", "") for block in answer["content"])


def _messages_tokens(document: Document) -> Tokens:
    usage = document.get("usage") or (document.get("message") or {}).get("usage") or {}
    parts = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    read = sum(usage.get(part) or 0 for part in parts)
    return Tokens(read, usage.get("output_tokens") or 0)


def _responses_body(question: Question) -> Document:
    body: Document = {
        "model": question.model,
        "input": list(question.turns),
        "stream": question.is_streamed,
        "store": False,
    }
    if question.system is not None:
        body["instructions"] = question.system
    if question.tokens_max is not None:
        body["max_output_tokens"] = question.tokens_max
    return body


def _responses_piece(event: Document) -> str:
    is_text = event.get("type") == "response.output_text.delta"
    return str(event["delta"]) if is_text else ""


def _responses_text(answer: Document) -> str:
    parts = [part for item in answer["output"] for part in item.get("content") or []]
    return "".join(part.get("text", "") for part in parts if part.get("type") == "output_text")


def _responses_tokens(document: Document) -> Tokens:
    usage = document.get("usage") or (document.get("response") or {}).get("usage") or {}
    return Tokens(usage.get("input_tokens") or 0, usage.get("output_tokens") or 0)


DIALECTS: Final[Mapping[str, ChatDialect]] = {
    "chat": ChatDialect("/v1/chat/completions", _chat_body, _chat_piece, _chat_text, _chat_tokens),
    "messages": ChatDialect(
        "/v1/messages", _messages_body, _messages_piece, _messages_text, _messages_tokens
    ),
    "responses": ChatDialect(
        "/v1/responses", _responses_body, _responses_piece, _responses_text, _responses_tokens
    ),
}
"""By the name that `--dialect` takes."""
