"""A budget is not overspent, however many spend it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.checks import Verdict
from bursar.cli.doctor.waiting import waited_for
from bursar.cli.fields import path_to
from bursar.cli.output import as_usd

if TYPE_CHECKING:
    from bursar.cli.doctor.calling import Answer
    from bursar.cli.doctor.checks import Context
    from bursar.cli.options import Session

AFFORDED: Final = 5
CALLS: Final = 40
_SETTLED_S: Final = 30.0
_BROKEN: Final = (
    "The cap does not hold: stop spending, and report this with the gateway's log and the "
    "requests' ids"
)


@dataclass(frozen=True, slots=True)
class Raced:
    """How it ended.

    Attributes:
        others: answers that are neither an answer of the model nor the budget's refusal.
        spent_usd: by the account.
        held_usd: still, after a while.
        recorded_usd: by the usage records.
        is_exact: each call costs exactly what is held for it.
    """

    served: int
    refused: int
    others: Sequence[str]
    limit_usd: Decimal
    spent_usd: Decimal
    held_usd: Decimal
    recorded_usd: Decimal
    is_exact: bool


class Race:
    name = "race"
    proves = f"{CALLS} calls at once do not overspend a budget that affords {AFFORDED}."
    calls = True

    def run(self, context: Context) -> Verdict:
        trial = context.trial
        if isinstance(trial, Verdict):
            return trial
        if trial.short_usd is None:
            return Verdict.failed(
                "A call was served that its budget does not afford",
                f"Has {trial.model} a price of zero? Then name another model; else: {_BROKEN}",
            )
        limit_usd = AFFORDED * trial.short_usd
        holder = trial.holder(context.temporary, "race", limit_usd)
        answers = trial.plane.ask_at_once(holder.key, trial.short, CALLS)
        return judge(
            _raced(context.session, holder.user_id, answers, limit_usd, is_exact=trial.is_exact)
        )


def _raced(
    session: Session,
    user_id: str,
    answers: Sequence[Answer],
    limit_usd: Decimal,
    *,
    is_exact: bool,
) -> Raced:
    account = settled(session, user_id)
    records = session.ask("GET", f"{path_to('/v1/users', user_id)}/usage", limit=1000)
    served = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.is_over_budget]
    others = [one.told for one in answers if one.status != 200 and not one.is_over_budget]
    return Raced(
        served=len(served),
        refused=len(refused),
        others=others,
        limit_usd=limit_usd,
        spent_usd=Decimal(account["spend"]),
        held_usd=Decimal(account["held"]),
        recorded_usd=sum((Decimal(one["cost"] or 0) for one in records), Decimal(0)),
        is_exact=is_exact,
    )


def settled(session: Session, user_id: str) -> dict[str, Any]:
    """A user's account, once nothing is held in it, or after a while."""
    account: dict[str, Any] = waited_for(
        lambda: session.ask("GET", path_to("/v1/users", user_id)),
        lambda user: Decimal(user["held"]) == 0,
        _SETTLED_S,
    )
    return account


def judge(raced: Raced) -> Verdict:
    """Without slack where calls cost what is held; else what a call left over may be spent anew."""
    spent, limit = as_usd(raced.spent_usd), as_usd(raced.limit_usd)
    details = _details(raced)
    if raced.spent_usd + raced.held_usd > raced.limit_usd:
        return Verdict.failed(
            f"{spent} of a budget of {limit} is spent, and {as_usd(raced.held_usd)} held",
            _BROKEN,
            *details,
        )
    if raced.is_exact and raced.served > AFFORDED:
        return Verdict.failed(
            f"{raced.served} calls were served, and the budget affords {AFFORDED}",
            _BROKEN,
            *details,
        )
    if raced.held_usd:
        return Verdict.failed(
            f"{as_usd(raced.held_usd)} is still held after the last answer",
            "The gateway does not settle: its log says why, and the schedule frees the money",
            *details,
        )
    if raced.recorded_usd != raced.spent_usd:
        return Verdict.failed(
            f"{spent} is spent, and the records add up to {as_usd(raced.recorded_usd)}",
            "The books disagree: report this with the gateway's log",
            *details,
        )
    return _judge_counts(raced, details)


def _judge_counts(raced: Raced, details: tuple[str, ...]) -> Verdict:
    answered = f"{raced.served} of {CALLS} calls were served, and {raced.refused} refused"
    if not raced.served:
        return Verdict.failed(
            "No call was served", "Try the model by itself: bursar chat", *details
        )
    if not raced.refused or len(raced.others) > CALLS // 2:
        return Verdict.failed(
            f"{answered} by the budget, and {len(raced.others)} got another answer",
            "Nothing was proved: look at what was answered, and try again",
            *details,
        )
    if raced.is_exact and raced.served < AFFORDED and not raced.others:
        return Verdict.failed(
            f"{answered}, though the budget affords {AFFORDED}",
            "The gateway refuses what is affordable: report this with its log",
        )
    spent = f"{as_usd(raced.spent_usd)} of {as_usd(raced.limit_usd)}"
    return Verdict.passed(f"{answered} by the budget; {spent} is spent, nothing held", *details)


def _details(raced: Raced) -> tuple[str, ...]:
    if not raced.others:
        return ()
    return (f"{len(raced.others)} got another answer, the first {raced.others[0]}",)
