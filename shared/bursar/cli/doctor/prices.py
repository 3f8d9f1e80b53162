"""What is in use has a price, the prices are plausible, and providers charge what is booked."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.doctor.checks import Verdict
from bursar.cli.price_gaps import gaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bursar.cli.doctor.checks import Context

_AGE_MAX: Final = timedelta(days=180)
_RATE_DIFFERENCE_MAX: Final = Decimal("0.2")
# Providers round, and some bill a little beside the tokens.
_CHARGE_DIFFERENCE_MAX: Final = Decimal("0.02")
_RATES: Final = ("input_price_per_million", "output_price_per_million")


class Prices:
    name = "prices"
    proves = "Every model in use has a price."
    calls = False

    def run(self, context: Context) -> Verdict:
        models = context.books.models
        unpriced = [
            f"{model}, by {user}: {effective['reason']}"
            for model, user in sorted(models.items())
            if (effective := _ask(context, "effective", model))["price"] is None
        ]
        read = f"{len(models)} models ({context.books.about}, aliases and allow-lists)"
        if unpriced:
            return Verdict.failed(
                f"{len(unpriced)} of {read} have no price, so requests for them are refused, or "
                "free if that is allowed",
                "bursar prices set MODEL, or take the model out of aliases and allow-lists",
                *unpriced,
            )
        return Verdict.passed(f"{read} have a price")


class Rates:
    name = "rates"
    proves = "Prices of your own are near the public ones, and those are not old."
    calls = False

    def run(self, context: Context) -> Verdict:
        found: list[str] = []
        days = set()
        for model in sorted(context.books.models):
            effective = _ask(context, "effective", model)
            days.add(effective["catalogue_date"])
            if effective["source"] in ("override", "pattern"):
                public = _ask(context, "catalogue", model)
                found += differences(model, effective["price"], public["price"])
                left_out = gaps(effective["price"], public["price"] or {})
                found += [f"{model}: {gap}" for gap in left_out]
            elif effective["source"] == "catalogue":
                found += age(effective["catalogue_date"], datetime.now(UTC).date())
        found = list(dict.fromkeys(found))
        if found:
            return Verdict.failed(
                f"{len(found)} prices should be looked at",
                "bursar prices set MODEL corrects one, a newer release has newer public prices; "
                "if yours are agreed with the provider, --skip rates",
                *found,
            )
        day = next(filter(None, days), None)
        of_day = "" if day is None else f", which are of {day}"
        return Verdict.passed(f"prices of your own are within a fifth of the public ones{of_day}")


class Charges:
    name = "charges"
    proves = "What providers say that they charged is what the books say."
    calls = False

    def run(self, context: Context) -> Verdict:
        return judge_charges(context.books.records)


def _ask(context: Context, which: str, model: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = context.session.ask("GET", f"/v1/pricing/{which}", model=model)
    return answer


def differences(
    model: str, own: Mapping[str, Any], public: Mapping[str, Any] | None
) -> Iterator[str]:
    """Where an administrator's rates are more than a fifth from the catalogue's."""
    for name in _RATES:
        ours, theirs = own.get(name), (public or {}).get(name)
        if ours is None or theirs is None:
            continue
        off = abs(Decimal(ours) - Decimal(theirs))
        if off > _RATE_DIFFERENCE_MAX * Decimal(theirs):
            kind = name.partition("_")[0]
            yield f"{model}: your {kind} costs ${ours} a million, the public price is ${theirs}"


def age(catalogue_date: str | None, today: date) -> Iterator[str]:
    if catalogue_date is not None and today - date.fromisoformat(catalogue_date) > _AGE_MAX:
        yield f"The catalogue of public prices is of {catalogue_date}"


def judge_charges(records: Iterable[Mapping[str, Any]]) -> Verdict:
    """By model, over the records in which a provider tells what it charged."""
    booked: dict[str, Decimal] = defaultdict(Decimal)
    charged: dict[str, Decimal] = defaultdict(Decimal)
    for record in records:
        if record["cost"] is not None and record["reported_cost"] is not None:
            model = f"{record['provider']}:{record['model']}"
            booked[model] += Decimal(record["cost"])
            charged[model] += Decimal(record["reported_cost"])
    if not charged:
        return Verdict.skipped("No provider told what it charged", "Only some do, as OpenRouter")
    found = [
        f"{model}: ${booked[model]:f} booked, ${charged[model]:f} charged"
        for model in sorted(charged)
        if abs(booked[model] - charged[model]) > _CHARGE_DIFFERENCE_MAX * charged[model]
    ]
    if found:
        return Verdict.failed(
            f"Of {len(charged)} models {len(found)} cost another amount than is booked",
            "Correct their prices (bursar prices set MODEL); budgets hold to what is booked",
            *found,
        )
    return Verdict.passed(f"{len(charged)} models cost what is booked")
