"""A conversation with a model on a terminal."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from bursar.cli.chat import Conversation, asked, say_figures
from bursar.cli.failures import Failed

if TYPE_CHECKING:
    from bursar.cli.chat_dialects import Question

_PROMPT: Final = "> "


def converse(conversation: Conversation, question: Question) -> None:
    """Ask what is typed, with all that was said before, until Ctrl-D."""
    # Its import gives `input` a line editor with this conversation's lines to go back to.
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401, PLC0415
    question = replace(question, is_streamed=True)
    conversation.place.output.say(f"{question.model}; Ctrl-D ends, Ctrl-C stops an answer")
    while (line := _line()) is not None:
        if line.strip():
            question = _answered(conversation, question, line)


def _answered(conversation: Conversation, question: Question, line: str) -> Question:
    """The conversation with an answer; without the question where it was refused."""
    further = asked(question, line)
    try:
        answer, cost = conversation.ask(further)
    except Failed as error:
        error.show()
        return question
    except KeyboardInterrupt:
        # Before its first word, there is nothing to keep.
        click.echo(err=True)
        return question
    click.echo()
    say_figures(conversation.place, answer, cost)
    # A stopped answer is part of what was said; one of nothing no dialect takes.
    said = {"role": "assistant", "content": answer.text or "…"}
    return replace(further, turns=(*further.turns, said))


def _line() -> str | None:
    """The next line, None at the end. The prompt stays out of data that goes elsewhere."""
    try:
        if sys.stdout.isatty():
            return input(_PROMPT)
        click.echo(_PROMPT, nl=False, err=True)
        return sys.stdin.readline() or None
    except EOFError:
        click.echo()
        return None
