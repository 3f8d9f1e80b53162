"""The template as data, with CloudFormation's short tags in their long form."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from tests.engines import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = ROOT / "template.yaml"
OBSERVABILITY = ROOT / "infra" / "observability.yaml"
FUNCTIONS = ["ProxyFunction", "AdminFunction", "BudgetResetFunction"]


class CloudFormation(yaml.SafeLoader):
    """YAML with `!Ref X` as {"Ref": "X"} and `!Sub X` as {"Fn::Sub": "X"}."""


def _intrinsic(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TypeError(node)
    return {name if name == "Ref" else f"Fn::{name}": value}


CloudFormation.add_multi_constructor("!", _intrinsic)


@cache
def template() -> dict[str, Any]:
    return _load(TEMPLATE)


@cache
def observability() -> dict[str, Any]:
    """The nested stack with alarms and dashboard."""
    return _load(OBSERVABILITY)


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text(), CloudFormation)  # noqa: S506
    return loaded


def properties(resource: str) -> dict[str, Any]:
    found: dict[str, Any] = template()["Resources"][resource]["Properties"]
    return found


def variables_of(function: str) -> dict[str, str]:
    """A function's environment, with made-up values in place of what a deployment fills in."""
    variables = {
        **template()["Globals"]["Function"]["Environment"]["Variables"],
        **properties(function).get("Environment", {}).get("Variables", {}),
    }
    return {name: it if isinstance(it, str) else _made_up(it) for name, it in variables.items()}


def _made_up(value: dict[str, Any]) -> str:
    """A parameter's default, or something that its pattern allows where it has none."""
    if "Fn::If" in value:
        return _made_up(value["Fn::If"][2])  # what holds where an option is not taken
    if "Fn::Sub" in value:
        return str(value["Fn::Sub"]).replace("${AWS::StackName}", "bursar-test")
    parameter = template()["Parameters"].get(value["Ref"], {})
    return str(parameter.get("Default", "a" * 64))
