"""What is deployed in tests is what is deployed to AWS, but for a list with reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.deployment.derive_template import (
    ABSENT,
    DIFFERENCES,
    VERBS,
    Difference,
    derive,
    events,
    load,
)
from tests.infrastructure.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.deployment.derive_template import Place, Template

EMULATOR = "http://127.0.0.1:1"
MADE_UP = """
Globals:
  Function:
    Environment: { Variables: { KEPT: yes } }
Resources:
  Function:
    Properties:
      Arn: !GetAtt Table.Arn
      Policies:
        - Statement:
            - { Action: "ssm:GetParametersByPath", Resource: /providers }
            - { Action: "dynamodb:GetItem", Resource: table }
      DeploymentPreference: { Type: AllAtOnce }
      Events:
        All:
          Type: Api
          Properties:
            Path: /{proxy+}
            Method: ANY
            ResponseTransferMode: RESPONSE_STREAM
            TimeoutInMillis: 900000
        One: { Type: Api, Properties: { Path: /one, Method: GET } }
        Tick: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(5 minutes) } }
  Table: { Type: "AWS::DynamoDB::Table" }
"""


def differing(before: Any, after: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every place where two trees differ, as high up as it is there in one of them only."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            here = (*place, key)
            if key not in after:
                yield here, ABSENT
            elif key not in before:
                yield here, after[key]
            else:
                yield from differing(before[key], after[key], here)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from differing(*pair, (*place, index))
    elif before != after:
        yield place, after


def listed(template: Template) -> dict[Place, Any]:
    return {
        place: value
        for difference in DIFFERENCES
        for place, value in difference.changes(template, EMULATOR).items()
    }


@pytest.mark.parametrize("text", [TEMPLATE.read_text(), MADE_UP], ids=["template", "made up"])
def test_the_derived_template_differs_in_exactly_the_listed_places(text: str) -> None:
    template = load(text)
    assert dict(differing(template, derive(template, EMULATOR))) == listed(template)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda it: it.title)
def test_every_difference_has_its_reason_and_occurs(difference: Difference) -> None:
    assert difference.reason
    assert difference.changes(load(MADE_UP), EMULATOR)


def test_deriving_leaves_the_original_as_it_is() -> None:
    template = load(TEMPLATE.read_text())
    derive(template, EMULATOR)
    assert template == load(TEMPLATE.read_text())


def test_no_route_is_streamed_or_unnamed_and_none_is_lost() -> None:
    template = load(TEMPLATE.read_text())
    expected = {
        (path, verb)
        for path, method in _routes(template)
        for verb in (VERBS if method == "ANY" else (method,))
    }
    derived = derive(template, EMULATOR)
    assert set(_routes(derived)) == expected
    assert not any("ResponseTransferMode" in it["Properties"] for _, it in events(derived, "Api"))


def _routes(template: Template) -> Iterator[tuple[str, str]]:
    for _, event in events(template, "Api"):
        yield event["Properties"]["Path"], event["Properties"]["Method"].upper()


def test_the_made_up_template_becomes_what_the_emulator_understands() -> None:
    derived = derive(load(MADE_UP), EMULATOR)
    function = derived["Resources"]["Function"]["Properties"]
    assert "DeploymentPreference" not in function
    parameters, items = function["Policies"][0]["Statement"]
    assert (parameters["Resource"], items["Resource"]) == ("*", "table")
    assert function["Arn"] == {"Fn::GetAtt": ["Table", "Arn"]}
    assert function["Events"]["All"]["Properties"] == {"Path": "/{proxy+}", "Method": "DELETE"}
    assert function["Events"]["AllPut"]["Properties"] == {"Path": "/{proxy+}", "Method": "PUT"}
    assert function["Events"]["Tick"]["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    variables = derived["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["DYNAMODB_ENDPOINT"] == EMULATOR
    assert variables["AWS_SAM_LOCAL"] == "true"
