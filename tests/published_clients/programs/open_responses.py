"""Holds events against the OpenResponses specification's own types, which any-llm's SDK comes with.

It reads a list of events as JSON, and prints what is wrong with each that the specification knows.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pydantic
from openresponses_types import types as specification  # type: ignore[import-not-found]

_SUFFIX = "StreamingEvent"


def main(events: list[dict[str, Any]]) -> dict[str, list[str]]:
    """By the place of an event and its type, what is wrong; nothing where all is well."""
    kinds = _kinds()
    found: dict[str, list[str]] = {}
    for at, event in enumerate(events):
        if event["type"] not in kinds:
            continue
        wrong: list[str] = []
        try:
            kinds[event["type"]].model_validate(event)
        except pydantic.ValidationError as error:
            wrong = [f"{each['loc']}: {each['msg']}" for each in error.errors()]
        found[f"{at} {event['type']}"] = wrong
    return found


def _kinds() -> dict[str, Any]:
    """Every event's model by its type."""
    models = [made for name, made in vars(specification).items() if name.endswith(_SUFFIX)]
    return {next(iter(made.model_fields["type"].annotation)).value: made for made in models}


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))
