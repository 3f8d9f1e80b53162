"""A stream arrives while it is made, and is not kept back by anything in between."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from bursar.cli.doctor.checks import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.cli.doctor.checks import Context

_WORDS_MIN: Final = 5
# Of a stream's time from the request on, the words' part: held back, they come at once at the end.
_SPREAD_MIN: Final = 0.2
_STEPS_MIN: Final = 3
# What lies closer together came in one packet.
_STEP_S: Final = 0.002


class Streaming:
    name = "stream"
    proves = "A streamed answer's words arrive while it is made."
    calls = True

    def run(self, context: Context) -> Verdict:
        trial = context.trial
        if isinstance(trial, Verdict):
            return trial
        holder = trial.holder(context.temporary, "stream")
        with trial.plane.stream(holder.key, trial.long) as words:
            moments_s = [word.at_s for word in words]
        if len(moments_s) < _WORDS_MIN and not trial.is_exact:
            return Verdict.skipped(
                f"{trial.model} said {len(moments_s)} words, too few to tell",
                "Name a model that answers with text at once: one that thinks first may hide it",
            )
        return judge(moments_s)


def judge(moments_s: Sequence[float]) -> Verdict:
    """By when each word came, in seconds since the request."""
    if len(moments_s) < _WORDS_MIN:
        return Verdict.failed(
            f"The stream had {len(moments_s)} words, too few to be a whole one",
            "Try the model by itself: bursar chat; the gateway's log says why a stream broke",
        )
    first_s, last_s = moments_s[0], moments_s[-1]
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(moments_s)]
    steps = sum(gap_s > _STEP_S for gap_s in gaps_s) + 1
    seen = (
        f"the first of {len(moments_s)} pieces came after {first_s:.2f} s, the last after "
        f"{last_s:.2f} s, in {steps} steps, {max(gaps_s):.2f} s apart at most"
    )
    if (last_s - first_s) / last_s < _SPREAD_MIN or steps < _STEPS_MIN:
        return Verdict.failed(
            f"It came all at once: {seen}",
            "Something in between keeps answers back: a proxy (nginx: proxy_buffering off), a "
            "content filter, or an API Gateway route without the transfer mode STREAM",
        )
    return Verdict.passed(seen)
