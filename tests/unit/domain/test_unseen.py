from __future__ import annotations

from bursar.domain.pricing import Bound
from bursar.domain.unseen import Unseen, begun, generated_most, with_unseen
from bursar.domain.usage import TokenUsage

BOUND = Bound(4_500, 100, web_searches=4, served_calls=4, tokens_per_call=1_000)


def test_calls_that_had_not_begun_are_no_part_of_what_was_used() -> None:
    seen = begun(BOUND, Unseen(served_calls=1))
    assert (seen.input_tokens, seen.web_searches) == (1_500, 1)
    assert begun(BOUND, Unseen(served_calls=0)).input_tokens == 500


def test_where_nobody_tells_how_many_had_begun_all_may_have() -> None:
    assert begun(BOUND, None) == begun(BOUND, Unseen()) == BOUND
    assert begun(BOUND, Unseen(served_calls=9)) == BOUND


def test_reasoning_out_of_sight_may_be_all_that_was_allowed() -> None:
    assert generated_most(BOUND, Unseen(reasons=True), 7) == 100
    assert generated_most(BOUND, Unseen(reasons=False), 7) == 7
    assert generated_most(BOUND, None, 7) == 7


def test_where_the_stream_does_not_tell_the_request_does() -> None:
    silent = Bound(1, 100, may_reason=True)
    assert generated_most(silent, Unseen(), 7) == 100
    assert generated_most(BOUND, Unseen(), 7) == 7
    assert generated_most(silent, Unseen(reasons=False), 7) == 7


def test_usage_that_was_told_is_never_lowered() -> None:
    known = TokenUsage(10, 500)
    assert with_unseen(known, BOUND, Unseen(reasons=True)) == known
    assert with_unseen(TokenUsage(10, 5), BOUND, Unseen(reasons=True)) == TokenUsage(10, 100)
