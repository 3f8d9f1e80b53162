"""`bursar chat`: try a model."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any, Final

import click

from bursar.cli.asking import Answer, Asker
from bursar.cli.chat_cost import Cost, cost_of
from bursar.cli.chat_dialects import DIALECTS, ChatDialect, Question
from bursar.cli.chat_keys import a_key
from bursar.cli.connection import Connection
from bursar.cli.endings import INTERRUPTED
from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.interrupts import orderly_end
from bursar.cli.options import LOCAL_URL, Place, locates
from bursar.cli.output import Column, as_usd

# A terminal would obey what a model writes, were its control characters not left out.
_CONTROLS: Final = dict.fromkeys([*range(9), *range(11, 32), *range(127, 160)])
COLUMNS: Final = (
    Column("model", "MODEL"),
    Column("answer", "ANSWER"),
    Column("input_tokens", "INPUT"),
    Column("output_tokens", "OUTPUT"),
    Column("cost", "COST", as_usd),
    Column("duration_ms", "MS"),
    Column("request_id", "REQUEST"),
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything that one question after the other is asked with."""

    place: Place
    asker: Asker
    dialect: ChatDialect
    administrator: Connection | None

    def ask(self, question: Question) -> tuple[Answer, Cost]:
        """Ask; a streamed answer is on the screen then, its figures are not."""
        answer = self.asker.ask(self.dialect, question, show)
        return answer, cost_of(answer, self.administrator, self.asker.url)


@click.command()
@click.argument("model", required=False)
@click.argument("prompt", nargs=-1)
@click.option("--system", help="What the model is told beforehand.")
@click.option("--max-tokens", type=click.IntRange(1), help="The longest answer.")
@click.option(
    "--dialect",
    type=click.Choice(list(DIALECTS)),
    default="chat",
    show_default=True,
    help="How the gateway is asked.",
)
@click.option("--user", help="Spend this user's budget, by a key that is made for it and deleted.")
@locates
def chat(
    place: Place, /, model: str | None, prompt: tuple[str, ...], user: str | None, **options: Any
) -> None:
    """Try a model: its answer as it comes, and then what it cost.

    The answer is on standard output, its figures on standard error.

    Without a prompt, standard input is one; on a terminal a conversation begins, which Ctrl-D ends
    and in which Ctrl-C stops an answer. A prompt of `-` stands for standard input.

    It asks with BURSAR_API_KEY, or with the key that `bursar init` has kept. With --user, or where
    the profile has a user and no key, it makes one for the purpose and deletes it afterwards.

    \b
    Example: bursar chat openai:gpt-5-nano Why is the sky blue?
             git diff | bursar chat smart --system 'Review this.' --user ada
             bursar chat mock:hello Hello --dialect messages -o json
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    if model is not None and any(each.isspace() for each in model):
        # No model's name has a space: it is the prompt, for the profile's own.
        model, prompt = "", (model, *prompt)
    wanted = model or place.profile.model
    if wanted is None:
        raise Failed("Name a model: bursar models list shows them", WRONG_USAGE)
    question = Question(
        wanted,
        (),
        options["system"],
        options["max_tokens"],
        is_streamed=place.output.kind == "table",
    )
    url, administrator = _planes(place)
    with orderly_end(), a_key(place, administrator, user, wanted) as key:
        conversation = Conversation(
            place, Asker(url, key), DIALECTS[options["dialect"]], administrator
        )
        if prompt or not sys.stdin.isatty():
            _once(conversation, question, _prompt(prompt))
        else:
            # Its line editor is for a terminal alone.
            from bursar.cli.chat_session import converse  # noqa: PLC0415

            converse(conversation, question)


def show(piece: str) -> None:
    """Write a piece of an answer at once."""
    click.echo(piece.translate(_CONTROLS) if sys.stdout.isatty() else piece, nl=False)
    sys.stdout.flush()


def say_figures(place: Place, answer: Answer, cost: Cost) -> None:
    """What an answer took, in one line."""
    about = "about " if cost.is_estimate and cost.usd is not None else ""
    first = () if answer.first_token_ms is None else (f"first token {answer.first_token_ms} ms",)
    limit = answer.output_limit
    figures = (
        str(answer.model),
        f"{answer.tokens.input} tokens in, {answer.tokens.output} out",
        f"{about}{as_usd(cost.usd)}" if cost.usd is not None else "cost unknown",
        *first,
        f"{answer.duration_ms / 1000:.1f} s",
        *(() if limit is None else (f"kept to {limit} tokens for the budget",)),
        *(() if answer.is_whole else ("stopped",)),
        f"request {answer.request_id}",
    )
    place.output.say(" · ".join(figures))


def asked(question: Question, text: str) -> Question:
    """A conversation with one more thing said by the person."""
    return replace(question, turns=(*question.turns, {"role": "user", "content": text}))


def record_of(answer: Answer, cost: Cost, dialect: str) -> dict[str, Any]:
    """An answer as data."""
    return {
        "model": answer.model,
        "answer": answer.text,
        "input_tokens": answer.tokens.input,
        "output_tokens": answer.tokens.output,
        "cost": cost.usd,
        "cost_is_estimate": cost.is_estimate,
        "duration_ms": answer.duration_ms,
        "dialect": dialect,
        "route": answer.route,
        "output_limit": answer.output_limit,
        "request_id": answer.request_id,
    }


def _once(conversation: Conversation, question: Question, prompt: str) -> None:
    answer, cost = conversation.ask(asked(question, prompt))
    if not question.is_streamed:
        name = next(name for name, one in DIALECTS.items() if one is conversation.dialect)
        conversation.place.output.record(record_of(answer, cost, name), COLUMNS)
        return
    click.echo()
    say_figures(conversation.place, answer, cost)
    if not answer.is_whole:
        click.get_current_context().exit(INTERRUPTED)


def _prompt(words: tuple[str, ...]) -> str:
    """What is asked.

    Raises:
        Failed: it is empty.
    """
    given = " ".join(words) if words else "-"
    text = sys.stdin.read().strip() if given == "-" else given
    if not text:
        raise Failed("There is nothing to ask: give a prompt, or pipe one in", WRONG_USAGE)
    return text


def _planes(place: Place) -> tuple[str, Connection | None]:
    """The gateway's public address, and who may read the books, if anybody here."""
    try:
        administrator = place.connection()
    except Failed:
        # A stack's address comes from AWS; an address alone does without an administrator.
        if place.profile.url is None and place.profile.stack is not None:
            raise
        administrator = None
    stack_url = getattr(administrator, "url", None)
    return place.profile.url or stack_url or LOCAL_URL, administrator
