from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.errors import Forbidden, InvalidRequest
from bursar.domain.ids import first_at, made_at, request_id
from bursar.domain.models import ModelName, check_allowed, parse_model

_moments = st.integers(1, 7_000_000_000_000_000).map(
    lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
)


@given(_moments)
def test_an_id_is_a_version_7_uuid_that_tells_its_time(moment: datetime) -> None:
    identifier = request_id(moment)
    parsed = uuid.UUID(identifier)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert abs(made_at(identifier) - moment) <= timedelta(milliseconds=1)
    assert first_at(moment) <= identifier


@given(_moments, st.integers(1, 10**9))
def test_later_ids_sort_later(moment: datetime, later_ms: int) -> None:
    later = moment + timedelta(milliseconds=later_ms + 1)
    assert request_id(moment) < first_at(later)


@pytest.mark.parametrize(
    ("text", "provider", "model"),
    [
        ("openai:gpt-4o", "openai", "gpt-4o"),
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("openrouter:meta/llama", "openrouter", "meta/llama"),
        ("ollama/llama3:8b", "ollama", "llama3:8b"),
        ("OpenAI:GPT", "openai", "GPT"),
    ],
)
def test_a_model_is_split_at_its_first_delimiter(text: str, provider: str, model: str) -> None:
    assert parse_model(text) == ModelName(provider, model)


@pytest.mark.parametrize("text", ["", "gpt-4o", ":gpt", "openai:", "/x"])
def test_a_model_without_provider_or_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_model(text)


def test_a_pattern_means_the_whole_name_and_either_delimiter() -> None:
    name = ModelName("openai", "gpt-4o-mini")
    check_allowed(name, ["openai:gpt-4o*"], "K")
    check_allowed(name, ["openai/*"], "K")
    check_allowed(name, None, "K")
    for patterns in ([], ["openai:gpt-4o"], ["gpt-4o-mini"]):
        with pytest.raises(Forbidden):
            check_allowed(name, patterns, "K")
