"""How a translated request is completed for a provider that speaks Messages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.messages_limits import THINKING_TOKENS_MIN, imposed_limit
from bursar.dialects.messages_wire import MESSAGES
from bursar.dialects.request import Terms
from bursar.domain.errors import InvalidRequest

THINKING = {"type": "enabled", "budget_tokens": 8_000}


def _settled(document: dict[str, Any], *, is_streamed: bool = False, **terms: Any) -> Any:
    return MESSAGES.settle_terms(document, Terms("claude", **terms), is_streamed)


def test_the_model_and_the_stream_are_the_terms() -> None:
    settled = _settled({"model": "a:b", "max_tokens": 5}, is_streamed=True)
    assert settled == {"model": "claude", "max_tokens": 5, "stream": True}
    assert "stream" not in _settled({"max_tokens": 5})


def test_a_limit_that_nobody_declared_is_the_one_that_was_quoted() -> None:
    assert _settled({}, output_tokens_max=4_096)["max_tokens"] == 4_096
    assert _settled({"max_tokens": 5}, output_tokens_max=4_096)["max_tokens"] == 5


def test_an_imposed_limit_replaces_the_declared_one() -> None:
    assert _settled({"max_tokens": 500}, output_tokens=50, output_tokens_max=9)["max_tokens"] == 50


def test_the_endpoints_quirks_come_last() -> None:
    settled = _settled(
        {"max_tokens": 5, "metadata": {}},
        dropped_fields=frozenset({"model", "metadata"}),
        added_fields={"anthropic_version": "vertex-2023-10-16"},
    )
    assert settled == {"max_tokens": 5, "anthropic_version": "vertex-2023-10-16"}


def test_thinking_keeps_its_share_of_a_lower_limit() -> None:
    document = {"max_tokens": 16_000, "thinking": {**THINKING, "display": "omitted"}}
    settled = _settled(document, output_tokens=4_000)
    assert settled["max_tokens"] == 4_000
    assert settled["thinking"] == {"type": "enabled", "budget_tokens": 2_000, "display": "omitted"}
    assert document["thinking"]["budget_tokens"] == 8_000  # type: ignore[index]


def test_thinking_that_fits_is_left_alone() -> None:
    document = {"max_tokens": 16_000, "thinking": THINKING}
    assert _settled(document, output_tokens=8_001)["thinking"] == THINKING
    adaptive = {"max_tokens": 16_000, "thinking": {"type": "adaptive"}}
    assert _settled(adaptive, output_tokens=10)["thinking"] == {"type": "adaptive"}


def test_thinking_that_may_go_beyond_the_limit_still_may() -> None:
    document = {"max_tokens": 4_000, "thinking": THINKING}
    assert _settled(document, output_tokens=2_000)["thinking"] == THINKING


def test_a_limit_that_leaves_no_room_to_think_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        _settled({"max_tokens": 16_000, "thinking": THINKING}, output_tokens=1_024)
    assert refused.value.param == "thinking.budget_tokens"
    assert "1024" in refused.value.message


@given(
    limit=st.integers(THINKING_TOKENS_MIN + 1, 10**6),
    max_tokens=st.none() | st.integers(THINKING_TOKENS_MIN + 1, 10**6),
    budget=st.integers(THINKING_TOKENS_MIN, 10**6),
)
def test_thinking_that_was_within_the_limit_stays_within(
    limit: int, max_tokens: int | None, budget: int
) -> None:
    fields = imposed_limit(limit, max_tokens, {"type": "enabled", "budget_tokens": budget})
    assert fields["max_tokens"] == limit
    if max_tokens is None or budget < max_tokens:
        lowered = fields.get("thinking", {"budget_tokens": budget})["budget_tokens"]
        assert THINKING_TOKENS_MIN <= lowered < limit
        assert lowered <= budget
