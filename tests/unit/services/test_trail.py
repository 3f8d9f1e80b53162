"""What headers and books say of a request's way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bursar.services.trail import Trail, printable

_models = st.text(min_size=1, max_size=40)


def test_a_request_that_goes_straight_to_its_model_is_not_remarkable() -> None:
    trail = Trail(attempts=1)
    assert trail.route("openai:a") == "direct"
    assert trail.remarks("openai:a") == {}
    assert trail.failures == ()


def test_an_aliass_first_choice_is_told_by_how_it_was_chosen() -> None:
    trail = Trail("fast", "weighted", attempts=1)
    assert trail.route("openai:a") == "weighted"
    assert trail.remarks("openai:a") == {"alias": "fast", "attempts": 1, "route": "weighted"}


def test_what_was_passed_by_is_told_and_is_no_failed_attempt() -> None:
    trail = Trail("fast", "primary", attempts=1)
    trail.miss("groq:b", "model_unpriced")
    trail.miss("openai:a", "upstream_429", was_sent=True)
    assert trail.route("mistral:c") == (
        "fallback;after=groq:b;because=model_unpriced;after=openai:a;because=upstream_429"
    )
    assert trail.failures == ("openai:a upstream_429",)


def test_a_model_that_was_put_off_and_serves_after_all_is_not_told_so() -> None:
    trail = Trail("fast", "primary")
    trail.miss("openai:a", "circuit_open")
    assert trail.route("openai:a") == "primary"


def test_the_same_failure_is_told_once_and_very_many_are_cut_short() -> None:
    trail = Trail()
    for number in range(3):
        trail.miss("openai:a", "upstream_5xx", was_sent=True)
        trail.miss(f"groq:{number}", "upstream_5xx", was_sent=True)
    assert trail.route("x:y").count("after=openai:a") == 1
    for number in range(50):
        trail.miss(f"mistral:{number}", "upstream_5xx", was_sent=True)
    assert trail.route("x:y").count("after=") == 6


def test_a_name_without_end_is_cut_off() -> None:
    assert len(printable("\U0001f9ff" * 100_000)) == 200 * 4 * 3


@given(model=_models, other=_models)
def test_whatever_models_are_called_a_header_can_hold_it(model: str, other: str) -> None:
    trail = Trail("fast", "primary", cheaper=None)
    trail.miss(model, "upstream_5xx", was_sent=True)
    for text in (trail.route(other), printable(model)):
        assert all(" " < character <= "~" for character in text)
    assert trail.route(other).count(";") <= 2
