"""What the guide chooses to try."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bursar.cli.guide_models import check_price, choose_model
from bursar.cli.guide_places import Found
from bursar.cli.profiles import Profile
from tests.unit.cli.fake_gateway import FakeGateway


def _found(model: str | None = None, answers: dict[str, Any] | None = None) -> Found:
    gateway = FakeGateway(answers=answers or {})
    return Found(gateway, "http://gateway", Profile(model=model), "here")


def test_what_is_wished_for_comes_before_everything() -> None:
    assert choose_model(_found("mock:hello"), ["openai"], "groq:x") == "groq:x"


def test_what_was_tried_before_is_tried_again() -> None:
    assert choose_model(_found("groq:x"), ["openai"], None) == "groq:x"


def test_the_mock_gives_way_to_a_provider_with_a_key() -> None:
    assert choose_model(_found("mock:hello"), ["mock", "openai"], None) == "openai:gpt-5-nano"
    assert choose_model(_found("mock:hello"), ["mock"], None) == "mock:hello"


def test_of_another_provider_a_priced_model_is_taken_that_chats() -> None:
    models = [{"model": "lab:text-embedding-1"}, {"model": "lab:chatty"}]
    found = _found(answers={"GET /v1/providers/lab/models": models})
    assert choose_model(found, ["lab", "mock"], None) == "lab:chatty"


def test_without_any_provider_there_is_nothing_to_try() -> None:
    assert choose_model(_found(), [], None) is None


@pytest.mark.parametrize("price", [None, {"input": "0.05", "output": "0.4"}])
def test_a_price_is_told_or_missed(price: dict[str, str] | None) -> None:
    rates = {f"{side}_price_per_million": Decimal(it) for side, it in (price or {}).items()}
    answer = {"price": rates or None, "source": "catalogue"}
    found = _found(answers={"GET /v1/pricing/effective": answer})
    expected = price and "$0.05 a million tokens in, $0.40 out (catalogue)"
    assert check_price(found, "openai:gpt-5-nano") == expected
