from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import ModelNotFound, StoreUnavailable
from bursar.domain.models import parse_model
from bursar.domain.upstream import Target
from bursar.secrets.provider_keys import targets_of
from bursar.secrets.refreshing import AGE_MAX_S, RETRIED_AFTER_S, RefreshingTargets
from bursar.services.targets import Targets
from bursar.upstream.catalogue import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH = "/bursar/test/providers"
CATALOGUE = load_catalogue()


class ScriptedParameters:
    """Parameters that change, and fail, as told. Counts how often they are read."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {"openai/api_key": "sk-first"}
        self.is_down = False
        self.reads = 0

    async def under(self, path: str) -> Mapping[str, str]:
        assert path == PATH
        self.reads += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise StoreUnavailable("Systems Manager did not answer")
        return dict(self.values)


class Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def parameters() -> ScriptedParameters:
    return ScriptedParameters()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refreshing(parameters: ScriptedParameters, clock: Clock) -> RefreshingTargets:
    return RefreshingTargets(parameters, PATH, lambda it: targets_of(it, {}, CATALOGUE, {}), clock)


async def key_of(refreshing: RefreshingTargets, provider: str = "openai") -> str | None:
    return (await refreshing())[provider].api_key


async def test_nothing_is_read_before_the_first_request(
    parameters: ScriptedParameters, refreshing: RefreshingTargets
) -> None:
    assert parameters.reads == 0
    assert await key_of(refreshing) == "sk-first"
    assert parameters.reads == 1


async def test_a_new_key_is_used_after_five_minutes_and_not_before(
    parameters: ScriptedParameters, clock: Clock, refreshing: RefreshingTargets
) -> None:
    await refreshing()
    parameters.values = {"openai/api_key": "sk-second", "groq/api_key": "gsk"}

    clock.now_s += AGE_MAX_S - 1
    assert await key_of(refreshing) == "sk-first"
    clock.now_s += 1
    assert await key_of(refreshing) == "sk-second"

    assert await key_of(refreshing, "groq") == "gsk"
    assert parameters.reads == 2


async def test_a_removed_key_is_forgotten(
    parameters: ScriptedParameters, clock: Clock, refreshing: RefreshingTargets
) -> None:
    await refreshing()
    parameters.values = {}
    clock.now_s += AGE_MAX_S
    assert await refreshing() == {}


async def test_without_the_parameters_the_known_keys_stay_and_soon_it_tries_again(
    parameters: ScriptedParameters,
    clock: Clock,
    refreshing: RefreshingTargets,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await refreshing()
    parameters.values, parameters.is_down = {"openai/api_key": "sk-second"}, True
    clock.now_s += AGE_MAX_S

    assert [await key_of(refreshing) for _ in range(3)] == ["sk-first"] * 3
    assert parameters.reads == 2
    assert "provider keys not refreshed" in caplog.text

    parameters.is_down = False
    clock.now_s += RETRIED_AFTER_S
    assert await key_of(refreshing) == "sk-second"


async def test_keys_that_were_never_read_are_asked_for_by_each_request(
    parameters: ScriptedParameters, refreshing: RefreshingTargets
) -> None:
    parameters.is_down = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await refreshing()
    parameters.is_down = False
    assert await key_of(refreshing) == "sk-first"


async def test_one_of_many_requests_reads_again(
    parameters: ScriptedParameters, clock: Clock, refreshing: RefreshingTargets
) -> None:
    await refreshing()
    clock.now_s += AGE_MAX_S
    await asyncio.gather(*(refreshing() for _ in range(20)))
    assert parameters.reads == 2


async def test_refreshed_targets_come_before_those_known_at_the_start(
    refreshing: RefreshingTargets,
) -> None:
    openai, groq = CATALOGUE["openai"], CATALOGUE["groq"]
    known = {"openai": Target(openai, "https://old", "old"), "groq": Target(groq, "g", "g")}
    targets = Targets(known, refreshing)

    assert (await targets.find(parse_model("openai:gpt-4o"))).api_key == "sk-first"
    assert (await targets.find(parse_model("groq:llama"))).api_key == "g"
    with pytest.raises(ModelNotFound, match="groq, openai"):
        await targets.find(parse_model("mistralai:x"))
