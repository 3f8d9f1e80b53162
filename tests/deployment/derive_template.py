"""Derive the template that is deployed to an AWS emulator from the one that is deployed to AWS.

python -m tests.deployment.derive_template http://127.0.0.1:4566 > derived.json

`DIFFERENCES` is every difference there is, with its reason. Each is a rule, so that the template
can grow without it, and a test holds that nothing else differs.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from tests.infrastructure.template import TEMPLATE, CloudFormation

if TYPE_CHECKING:
    from collections.abc import Iterator


Place = tuple[str | int, ...]
Template = dict[str, Any]

ABSENT: Final = object()
"""In place of a value that the derived template does not have."""
VERBS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""What API Gateway's ANY stands for."""
OWN_VARIABLES: Final = ("Globals", "Function", "Environment", "Variables")


class _LongForm(CloudFormation):
    """Short tags in the form that JSON templates have."""


def _attribute(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> dict[str, Any]:
    return {"Fn::GetAtt": loader.construct_scalar(node).split(".", 1)}


def _condition(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> dict[str, Any]:
    return {"Condition": loader.construct_scalar(node)}


_LongForm.add_constructor("!GetAtt", _attribute)
_LongForm.add_constructor("!Condition", _condition)


@dataclass(frozen=True, slots=True)
class Difference:
    """One kind of difference.

    Attributes:
        changes: the new value at each place, for a template and the emulator's URL.
    """

    title: str
    reason: str
    changes: Callable[[Template, str], Mapping[Place, Any]]


def _endpoint(_: Template, emulator_url: str) -> Mapping[Place, Any]:
    return {(*OWN_VARIABLES, "DYNAMODB_ENDPOINT"): emulator_url}


def _runs_locally(_: Template, __: str) -> Mapping[Place, Any]:
    return {(*OWN_VARIABLES, "AWS_SAM_LOCAL"): "true"}


def _buffered(template: Template, _: str) -> Mapping[Place, Any]:
    return {
        (*place, "Properties", name): ABSENT
        for place, event in events(template, "Api")
        for name in ("ResponseTransferMode", "TimeoutInMillis")
        if name in event["Properties"]
    }


def _explicit_verbs(template: Template, _: str) -> Mapping[Place, Any]:
    """The event itself keeps its name and gets the first verb; each other verb gets an event."""
    changed: dict[Place, Any] = {}
    for (*parent, name), event in events(template, "Api"):
        if event["Properties"]["Method"].upper() == "ANY":
            first, *others = VERBS
            changed[*parent, name, "Properties", "Method"] = first
            for verb in others:
                added: Any = copy.deepcopy(event)
                added["Properties"]["Method"] = verb
                for streamed in ("ResponseTransferMode", "TimeoutInMillis"):
                    added["Properties"].pop(streamed, None)
                changed[*parent, f"{name}{verb.title()}"] = added
    return changed


def _at_once(template: Template, _: str) -> Mapping[Place, Any]:
    return {
        ("Resources", name, "Properties", "DeploymentPreference"): ABSENT
        for name, resource in template["Resources"].items()
        if "DeploymentPreference" in resource.get("Properties", {})
    }


def _any_parameter(template: Template, _: str) -> Mapping[Place, Any]:
    return {
        (*place, "Resource"): "*"
        for place, node in _nodes(template)
        if isinstance(node, dict) and node.get("Action") == "ssm:GetParametersByPath"
    }


def _every_minute(template: Template, _: str) -> Mapping[Place, Any]:
    return {
        (*place, "Properties", "ScheduleExpression"): "rate(1 minute)"
        for place, _event in events(template, "ScheduleV2")
    }


DIFFERENCES: Final = (
    Difference(
        "The store's endpoint is the emulator.",
        "Without one, the store talks to AWS.",
        _endpoint,
    ),
    Difference(
        "The functions are told that they run locally.",
        "The emulator calls a handler and takes what it returns; it has no streaming runtime.",
        _runs_locally,
    ),
    Difference(
        "No route is streamed, nor has a streamed route's timeout.",
        "The emulator answers 500 for an integration of response-streaming-invocations.",
        _buffered,
    ),
    Difference(
        "ANY is spelled out, verb by verb.",
        "The emulator imports no method at all for x-amazon-apigateway-any-method.",
        _explicit_verbs,
    ),
    Difference(
        "A release reaches every request at once.",
        "The emulator has no CodeDeploy, which moves requests over little by little.",
        _at_once,
    ),
    Difference(
        "What may read parameters by a path may read those of every path.",
        "The emulator checks this one action against * and not against the path.",
        _any_parameter,
    ),
    Difference(
        "Every schedule runs once a minute.",
        "A test can wait for that.",
        _every_minute,
    ),
)


def load(text: str) -> Template:
    loaded: Template = yaml.load(text, _LongForm)  # noqa: S506 (a safe loader with more tags)
    return loaded


def events(template: Template, kind: str) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every function's events of a kind, by their place."""
    for resource, described in template["Resources"].items():
        for name, event in described.get("Properties", {}).get("Events", {}).items():
            if event["Type"] == kind:
                yield ("Resources", resource, "Properties", "Events", name), event


def _nodes(node: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    yield place, node
    if isinstance(node, dict | list):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _nodes(child, (*place, key))


def derive(template: Template, emulator_url: str) -> Template:
    """The template with every difference in it; the argument stays as it is.

    Raises:
        ValueError: two differences claim the same place.
    """
    derived = copy.deepcopy(template)
    claimed: set[Place] = set()
    for difference in DIFFERENCES:
        changes = difference.changes(template, emulator_url)
        if twice := claimed & changes.keys():
            raise ValueError(f"Also changed by another difference: {twice}")
        claimed |= changes.keys()
        for place, value in changes.items():
            _put(derived, place, value)
    return derived


def _put(template: Template, place: Place, value: object) -> None:
    *parents, name = place
    parent: Any = template
    for key in parents:
        parent = parent[key]
    if value is ABSENT:
        del parent[name]
    else:
        parent[name] = value


if __name__ == "__main__":
    json.dump(derive(load(TEMPLATE.read_text()), sys.argv[1]), sys.stdout, indent=2)
