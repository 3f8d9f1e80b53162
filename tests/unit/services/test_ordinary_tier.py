"""Where a setting at the provider would choose the service tier, a budget's limit names one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bursar.dialects.chat_wire import CHAT
from bursar.dialects.request import Terms
from bursar.dialects.responses_request import parse_responses
from bursar.domain.price_rates import RateTable, Unit
from bursar.upstream.catalogue import load_catalogue
from tests.fakes.scripted_upstream import completion
from tests.fakes.several_upstreams import SeveralUpstreams
from tests.fakes.world import World

PRIORITY = {"priority": RateTable({Unit.INPUT: Decimal(9), Unit.OUTPUT: Decimal(9)})}


async def sent(budget_usd: str | None, **body: Any) -> dict[str, Any]:
    """What OpenAI gets for a model that costs 1 and 2 dollars, and 9 in its priority tier."""
    world = World()
    key = await world.someone(budget_usd)
    await world.price(service_tiers=PRIORITY)
    targets = world.targets._by_provider
    assert isinstance(targets, dict)
    row = replace(targets["openai"].provider, ordinary_tier="default")
    targets["openai"] = replace(targets["openai"], provider=row)
    upstreams = SeveralUpstreams(world, openai=[completion()])
    await world.chat(key, **body)
    return upstreams.body()


async def test_under_a_limit_a_request_that_names_no_tier_is_sent_with_the_ordinary_one() -> None:
    assert (await sent("1"))["service_tier"] == "default"


async def test_without_a_limit_the_bytes_are_the_callers_own() -> None:
    assert "service_tier" not in await sent(None)


@pytest.mark.parametrize("tier", ["auto", "default", "priority"])
async def test_a_tier_that_is_named_stays(tier: str) -> None:
    assert (await sent("1", service_tier=tier))["service_tier"] == tier


def test_a_null_is_replaced_and_not_repeated() -> None:
    raw = b'{"model":"openai:o","input":"hi","service_tier":null}'
    rewritten = parse_responses(raw).rewritten(Terms("o", service_tier="default"))
    assert rewritten == b'{"model":"o","input":"hi","service_tier":"default"}'


def test_a_response_that_names_a_tier_keeps_it() -> None:
    raw = b'{"model":"openai:o","input":"hi","service_tier":"flex"}'
    rewritten = parse_responses(raw).rewritten(Terms("o", service_tier="default"))
    assert msgspec.json.decode(rewritten)["service_tier"] == "flex"


@pytest.mark.parametrize(("named", "sent_as"), [({}, "default"), ({"service_tier": "x"}, "x")])
def test_a_translated_request_is_treated_alike(named: dict[str, str], sent_as: str) -> None:
    document = {"model": "a", "messages": [], **named}
    terms = Terms("o", service_tier="default")
    assert CHAT.settle_terms(document, terms, False)["service_tier"] == sent_as  # noqa: FBT003 (a callable has no keywords)


def test_only_openais_projects_have_such_a_setting() -> None:
    named = {row.name: row.ordinary_tier for row in load_catalogue().values() if row.ordinary_tier}
    assert named == {"openai": "default"}
