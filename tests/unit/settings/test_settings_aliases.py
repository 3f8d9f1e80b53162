"""Aliases in the configuration file: how they are written, and what becomes of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.bootstrap import seed_aliases
from bursar.domain.aliases import AliasTarget, Strategy, TierDown
from bursar.domain.errors import WrongSetting
from bursar.settings import Settings, load_settings
from tests.fakes.world import World

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
aliases:
  fast: [groq:llama, openai/gpt-4o-mini]
  one: anthropic:claude-haiku-4-5
  team/smart:
    targets: [{model: openai:gpt-4o, weight: 9}, groq:llama]
    strategy: weighted
    tier_down: {below_share: 0.25, model: openai:gpt-4o-mini}
    retries: 0
"""


def load(folder: Path, content: str) -> Settings:
    path = folder / "config.yml"
    path.write_text(content)
    return load_settings({"BURSAR_CONFIG": str(path)})


def test_an_alias_is_a_model_a_list_of_models_or_all_that_can_be_said(tmp_path: Path) -> None:
    fast, one, smart = load(tmp_path, FILE).aliases
    assert [target.model for target in fast.targets] == ["groq:llama", "openai/gpt-4o-mini"]
    assert (one.targets, one.retries) == ((AliasTarget("anthropic:claude-haiku-4-5"),), 1)
    assert smart.targets == (AliasTarget("openai:gpt-4o", 9), AliasTarget("groq:llama", 1))
    assert smart.tier_down == TierDown(Decimal("0.25"), "openai:gpt-4o-mini")
    assert (smart.strategy, smart.retries) == (Strategy.WEIGHTED, 0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("aliases: [fast]", "'aliases' in the configuration file must be a mapping"),
        ("aliases: {fast: }", "'aliases.fast' in the configuration file must be a mapping"),
        ("aliases: {fast: []}", "aliases.fast.targets must list at least one model"),
        ("aliases: {fast: {}}", "aliases.fast.targets must list at least one model"),
        ("aliases: {fast: [{weight: 2}]}", "aliases.fast.targets[0].model must be text"),
        ("aliases: {fast: [{model: a:b, weight: 0}]}", "aliases.fast.targets[0].weight must be a"),
        (
            "aliases: {fast: [{model: a:b, wight: 2}]}",
            "aliases.fast.targets[0].wight is no setting",
        ),
        ("aliases: {fast: {targets: a:b, strategy: best}}", "must be one of ordered, weighted"),
        ("aliases: {fast: {targets: a:b, retries: 9}}", "must be a whole number from 0 to 5"),
        ("aliases: {fast: {targets: a:b, tier_down: {below_share: 2}}}", "above 0 and below 1"),
        ("aliases: {fast: {targets: a:b, tier_down: {below_share: x}}}", "above 0 and below 1"),
        ("aliases: {fast: {targets: a:b, tier_down: {below_share: .nan}}}", "above 0 and below 1"),
        ("aliases: {fast: {targets: a:b, tier_down: {below_share: .inf}}}", "above 0 and below 1"),
        ("aliases: {fast: {targets: a:b, tier_down: {share: 1}}}", "tier_down.share is no setting"),
    ],
)
def test_a_wrong_line_is_named_with_its_fix(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        load(tmp_path, content)
    assert says in wrong.value.message


async def test_the_files_aliases_are_entered_and_the_tables_stay(tmp_path: Path) -> None:
    world = World()
    settings = load(tmp_path, FILE)
    await seed_aliases(settings, world.storage)
    aliases = world.storage.directory.aliases
    names = [alias.name for alias in await aliases.page(skip=0, limit=9)]
    assert names == ["fast", "one", "team:smart"]
    await aliases.change("fast", {"retries": 4})

    await seed_aliases(settings, world.storage)

    fast = await aliases.get("fast")
    assert fast is not None
    assert [target.model for target in fast.targets] == ["groq:llama", "openai:gpt-4o-mini"]
    assert fast.retries == 4


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("aliases: {'openai:fast': groq:llama}", "'openai:fast' is a model of provider 'openai'"),
        ("aliases: {fast: smart}", "aliases.fast: Model 'smart' must name its provider"),
        ("aliases: {fast: opnai:x}", "aliases.fast: Provider 'opnai' of 'opnai:x' is not known"),
    ],
)
async def test_an_alias_that_cannot_be_stops_the_start(
    tmp_path: Path, content: str, says: str
) -> None:
    with pytest.raises(WrongSetting) as wrong:
        await seed_aliases(load(tmp_path, content), World().storage)
    assert says in wrong.value.message


@pytest.mark.parametrize(("value", "retries"), [("0", 0), ("5", 5)])
def test_how_often_a_model_is_asked_again_is_a_setting(value: str, retries: int) -> None:
    assert load_settings({"BURSAR_RETRIES": value}).policy.retries == retries


def test_and_is_bounded() -> None:
    with pytest.raises(WrongSetting, match="BURSAR_RETRIES must be a whole number from 0 to 5"):
        load_settings({"BURSAR_RETRIES": "-1"})
