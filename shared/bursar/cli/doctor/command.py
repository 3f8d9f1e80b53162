"""`bursar doctor`: proves on the live gateway what the documentation claims."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.confirming import YES
from bursar.cli.doctor.checks import Context, Outcome, Verdict
from bursar.cli.doctor.every import CHECKS, NAMES, chosen
from bursar.cli.doctor.race import CALLS
from bursar.cli.doctor.reporting import list_checks, looking, report
from bursar.cli.doctor.table import TableReader, table_at, table_of_stack
from bursar.cli.doctor.temporary import Temporary
from bursar.cli.doctor.trials import MOCK, NoTrialError, Trial, prepare
from bursar.cli.failures import UNHEALTHY, WRONG_USAGE, Failed
from bursar.cli.fields import together
from bursar.cli.options import locates
from bursar.cli.output import as_usd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bursar.cli.doctor.checks import Check
    from bursar.cli.options import Place, Session

_LONG_CALLS: Final = 2
_NAME: Final = click.Choice(NAMES)
_options = together(
    click.option(
        "--only", multiple=True, type=_NAME, metavar="CHECK", help="Only this one. May be repeated."
    ),
    click.option(
        "--skip", multiple=True, type=_NAME, metavar="CHECK", help="Not this one. May be repeated."
    ),
    click.option("--list", "is_list", is_flag=True, help="Show what the checks prove; run none."),
    click.option(
        "--model",
        help="Call this model, as in openai:gpt-4o-mini; what that may cost is shown and asked "
        "about.  [default: the mock provider's, which costs nothing]",
    ),
    click.option("--table", help="The gateway's table, read with your own AWS identity."),
    click.option("--endpoint", help="The table's engine, where it is not AWS's."),
    click.option(
        "--scan-limit",
        type=click.IntRange(1),
        default=100_000,
        show_default=True,
        help="Items of the table to look at, at most; 100,000 of them are read for about a cent.",
    ),
    YES,
)


@click.command()
@_options
@click.pass_context
@locates
def doctor(place: Place, context: click.Context, /, **options: Any) -> None:
    """Prove on the live gateway what it promises; each check has a verdict and a remedy.

    What is made for it (users, keys, budgets, a price, all temporary) is removed at the end, also
    after Ctrl-C; usage records stay. It ends with exit code 6 if a check failed.

    \b
    Example: bursar doctor
             bursar doctor --stack bursar-prod --model openai:gpt-4o-mini
             bursar doctor --only race --only stream -o json
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    checks = chosen(options["only"], options["skip"])
    if options["is_list"]:
        list_checks(place.output, checks)
        return
    _check_usage(options, checks)
    session = place.session()
    temporary = Temporary(session)
    _announce(session, checks, temporary, options["model"])
    with temporary.removed():
        looked = _context(session, temporary, options)
        if any(check.calls for check in checks):
            looked = replace(looked, trial=_trial(looked, options["model"], options["is_sure"]))
        verdicts = report(session.output, _found(looked, checks))
    if any(verdict.outcome is Outcome.FAILED for verdict in verdicts):
        context.exit(UNHEALTHY)


def _check_usage(options: dict[str, Any], checks: Sequence[Check]) -> None:
    """Raises Failed where something is asked for that cannot be."""
    if not checks:
        raise Failed(f"That leaves no check of {len(CHECKS)}: see --list", WRONG_USAGE)
    costs = options["model"] is not None and any(check.calls for check in checks)
    if costs and not options["is_sure"] and not sys.stdin.isatty():
        raise Failed(
            f"Calls of {options['model']} cost something, and there is nobody to ask: add --yes",
            WRONG_USAGE,
        )
    if options["endpoint"] and not options["table"]:
        raise Failed("--endpoint needs --table, the table's name there", WRONG_USAGE)


def _announce(
    session: Session, checks: Sequence[Check], temporary: Temporary, model: str | None
) -> None:
    session.output.say(f"Checking {session.connection.name}")
    if not any(check.calls for check in checks):
        session.output.say("Nothing is made there, and no model is called")
        return
    price = "" if model else f", and a price of {MOCK}:{temporary.name}"
    session.output.say(
        f"Made for it, and removed at the end: users {temporary.name}-… with keys and budgets"
        + price
    )
    if model is None:
        session.output.say(f"Models are called at the {MOCK} provider only, which costs nothing")


def _context(session: Session, temporary: Temporary, options: dict[str, Any]) -> Context:
    # boto3 is a quarter of a second that only a stack costs, and a connection to one has it.
    stack: Any = session.connection if hasattr(session.connection, "outputs") else None
    table: TableReader | None = None
    if options["table"]:
        region = session.profile.region
        table = table_at(options["table"], options["endpoint"], region)
    elif stack is not None:
        table = table_of_stack(stack)
    return Context(session, stack, table, temporary, scan_limit=options["scan_limit"])


def _trial(context: Context, model: str | None, is_sure: bool) -> Trial | Verdict:  # noqa: FBT001
    """The model to call, once it is known what that may cost and somebody has agreed."""
    try:
        trial = prepare(context.temporary, context.url, model)
    except NoTrialError as error:
        named = f"The model {model}" if model else f"The {MOCK} provider"
        return Verdict.skipped(
            f"{named} cannot be called ({error})",
            "Name a model with --model, or offer the mock: BURSAR_MOCK, in a stack MockProvider",
        )
    except Failed as failure:
        return Verdict.failed(
            f"Nothing could be made or called: {failure.message}",
            "See what the check 'reachable' says; may whoever asks administer this gateway?",
        )
    if model is not None:
        _agree(trial, context.session, is_sure=is_sure)
    return trial


def _agree(trial: Trial, session: Session, *, is_sure: bool) -> None:
    most = as_usd(trial.cost_usd(CALLS, _LONG_CALLS))
    session.output.say(
        f"{trial.model} is called {CALLS + _LONG_CALLS} times at most, for {most} at the very "
        "most; a budget that holds lets an eighth of those calls through"
    )
    if not is_sure:
        click.confirm("Go on?", abort=True, err=True)


def _found(context: Context, checks: Sequence[Check]) -> Iterator[tuple[Check, Verdict]]:
    for check in checks:
        with looking(context.session.output, check):
            verdict = _verdict(check, context)
        yield check, verdict


def _verdict(check: Check, context: Context) -> Verdict:
    try:
        return check.run(context)
    except Failed as failure:
        return Verdict.failed(
            failure.message, "The gateway did not answer as it should: its log has the reason"
        )
    except (LookupError, TypeError, ValueError) as error:
        return Verdict.failed(
            f"What was answered cannot be understood ({type(error).__name__}: {error})",
            "Is the gateway as new as this command? See the check 'reachable'",
        )
