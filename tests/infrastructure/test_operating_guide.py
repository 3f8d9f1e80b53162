"""The operator's guide names what is there."""

from __future__ import annotations

import re

from tests.engines import ROOT
from tests.infrastructure.template import observability, template

GUIDE = (ROOT / "infra" / "OPERATING.md").read_text()


def section(title: str) -> str:
    return GUIDE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_alarm_is_explained_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", section("Alarms"), re.MULTILINE)
    alarms = {
        name
        for name, it in observability()["Resources"].items()
        if it["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert sorted(rows) == sorted(alarms)


def test_every_parameter_that_is_set_in_it_is_one() -> None:
    set_to = set(re.findall(r"\b([A-Z][A-Za-z]+[a-z][A-Z]?[A-Za-z]*)=", GUIDE))
    assert {"MasterKeyDigest", "FunctionUrl", "SnapStart", "AlarmEmail"} <= set_to
    assert set_to <= set(template()["Parameters"])


def test_every_source_that_is_cited_is_listed_and_every_listed_one_is_cited() -> None:
    text, sources = GUIDE.split("\n## Sources\n")
    listed = set(re.findall(r"^(\d+)\. \[", sources, re.MULTILINE))
    assert set(re.findall(r"\[(\d+)\]", text)) == listed


def test_every_page_it_links_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#h][^)#]*)", GUIDE):
        assert (ROOT / "infra" / link).exists(), link


def test_its_limits_are_the_templates() -> None:
    proxy = template()["Resources"]["ProxyFunction"]["Properties"]
    deadline_s = proxy["Environment"]["Variables"]["BURSAR_REQUEST_TIMEOUT_S"]
    assert f"the gateway ends it at {deadline_s} s" in section("Limits")
    assert template()["Parameters"]["ApiRateLimit"]["Default"] == 100
    assert template()["Parameters"]["ApiBurstLimit"]["Default"] == 200
