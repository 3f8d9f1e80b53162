"""The template as data, with CloudFormation's short tags in their long form."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from tests.engines import ROOT

TEMPLATE = ROOT / "template.yaml"
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
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), CloudFormation)  # noqa: S506
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
    return {name: it if isinstance(it, str) else "a" * 64 for name, it in variables.items()}
