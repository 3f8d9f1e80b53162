"""The guide's last step: a question to a model, with the key that was just made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.cli.asking import Answer, Asker
from bursar.cli.chat_dialects import DIALECTS, Question
from bursar.cli.failures import Failed
from bursar.cli.output import as_usd

if TYPE_CHECKING:
    from bursar.cli.output import Output

_QUESTION: Final = "Say hello in five words."
# Models that think before they speak count their thoughts.
_TOKENS_MAX: Final = 500


def try_model(
    output: Output, url: str, key: str, model: str
) -> tuple[Answer | None, Failed | None]:
    """The answer, or why there is none."""
    question = Question(
        model, ({"role": "user", "content": _QUESTION},), None, _TOKENS_MAX, is_streamed=False
    )
    try:
        answer = Asker(url, key).ask(DIALECTS["chat"], question, lambda _: None)
    except Failed as error:
        return None, Failed(f"{model} does not answer: {error.message}", error.exit_code)
    cost = "" if answer.cost_usd is None else f", for {as_usd(answer.cost_usd)}"
    output.say(f"Answer     {answer.text.strip() or '(none in words)'}")
    output.say(f"           in {answer.duration_ms} ms{cost}")
    return answer, None
