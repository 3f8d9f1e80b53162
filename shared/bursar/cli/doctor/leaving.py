"""A caller that leaves is charged for what was made, and no money stays held for it."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.checks import Verdict
from bursar.cli.doctor.waiting import waited_for
from bursar.cli.fields import path_to
from bursar.cli.output import as_usd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.cli.doctor.checks import Context

_WORDS: Final = 5
_NOTICED_S: Final = 30.0
_BETWEEN: Final = (
    "Something in between stays when a caller goes, so the provider's whole answer is paid for: "
    "have it end the request to the gateway as well"
)


class Leaving:
    name = "disconnect"
    proves = "A caller that leaves a stream is charged for what was made, and nothing stays held."
    calls = True

    def run(self, context: Context) -> Verdict:
        trial = context.trial
        if isinstance(trial, Verdict):
            return trial
        holder = trial.holder(context.temporary, "leave")
        with trial.plane.stream(holder.key, trial.long) as words:
            heard = len(list(islice(words, _WORDS)))
        if heard < _WORDS:
            return Verdict.skipped(
                f"The stream ended before anybody could leave it, after {heard} words",
                "See what the check 'stream' says, and name a model that answers with text",
            )
        session, path = context.session, path_to("/v1/users", holder.user_id)

        def look() -> tuple[dict[str, Any], list[dict[str, Any]]]:
            return session.ask("GET", path), session.ask("GET", f"{path}/usage")

        account, records = waited_for(look, _is_over, _NOTICED_S)
        return judge(account, records[0] if records else None)


def _is_over(seen: tuple[Mapping[str, Any], list[dict[str, Any]]]) -> bool:
    account, records = seen
    return bool(records) and Decimal(account["held"]) == 0


def judge(account: Mapping[str, Any], record: Mapping[str, Any] | None) -> Verdict:
    """By the account and the one usage record, some time later."""
    if record is None:
        return Verdict.failed(
            f"After {_NOTICED_S:.0f} s there is no usage record of a stream that was left", _BETWEEN
        )
    cost, held = Decimal(record["cost"] or 0), Decimal(account["held"])
    if not cost:
        return Verdict.failed(
            f"A stream that was left cost nothing (its outcome: {record['outcome']})",
            "What leaves early is free: report this with the gateway's log and the request "
            f"{record['id']}",
        )
    if held:
        return Verdict.failed(
            f"{as_usd(held)} is still held after {_NOTICED_S:.0f} s",
            "The schedule frees it at its deadline; the gateway's log says why it was not settled",
        )
    if record["outcome"] != "disconnected":
        return Verdict.failed(
            f"A stream that was left ended as {record['outcome']}, for {as_usd(cost)}", _BETWEEN
        )
    if Decimal(account["spend"]) != cost:
        return Verdict.failed(
            f"{as_usd(account['spend'])} is spent, and the record says {as_usd(cost)}",
            f"The books disagree: report this with the request {record['id']}",
        )
    made = f"{as_usd(cost)} for {record['completion_tokens']} tokens"
    return Verdict.passed(f"recorded as disconnected and charged {made}; nothing is held")
