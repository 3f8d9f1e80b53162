"""The operator's guide explains every check, and no other."""

from __future__ import annotations

import re

from bursar.cli.doctor.every import CHECKS, NAMES, chosen
from tests.engines import ROOT

GUIDE = (ROOT / "infra" / "OPERATING.md").read_text()


def test_every_check_is_explained_in_the_order_it_is_run() -> None:
    section = GUIDE.split("\n## Check a gateway\n")[1].split("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == NAMES


def test_checks_have_names_of_their_own() -> None:
    assert len(set(NAMES)) == len(CHECKS)


def test_checks_are_chosen_by_name() -> None:
    assert [one.name for one in chosen(("race", "clock"), ())] == ["clock", "race"]
    assert [one.name for one in chosen(("race", "clock"), ("race",))] == ["clock"]
    assert [one.name for one in chosen((), NAMES[1:])] == [NAMES[0]]
