"""Reads another gateway's YAML file. What it says of secrets is never repeated."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from bursar.cli.failures import NOT_FOUND, WRONG_USAGE, Failed

_OF_ANY_LLM: Final = re.compile(r"\$\{([^}]+)\}")
_OF_LITELLM: Final = "os.environ/"


def read_yaml(path: str) -> dict[str, Any]:
    """A file's mapping.

    Raises:
        Failed: it is not there, or no mapping in YAML.
    """
    import yaml  # noqa: PLC0415 (other commands need not wait for it)

    try:
        content = yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}", NOT_FOUND) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # A parser's message quotes the line it stopped at, which may hold a key.
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise Failed(f"{path} is not valid YAML{where}", WRONG_USAGE) from None
    if not isinstance(content, dict):
        raise Failed(f"{path} is not a gateway's configuration: no mapping", WRONG_USAGE)
    return {str(name): value for name, value in content.items()}


def section(config: dict[str, Any], name: str) -> dict[str, Any]:
    """A part of a file that is a mapping; empty where it is left out.

    Raises:
        Failed: it is something else.
    """
    found = config.get(name) or {}
    if not isinstance(found, dict):
        raise Failed(f"'{name}' in the configuration must be a mapping", WRONG_USAGE)
    return {str(key): value for key, value in found.items()}


def where_from(value: Any) -> str | None:
    """Where a secret's value comes from, for people; None where there is none."""
    if value in (None, ""):
        return None
    text = str(value)
    found = _OF_ANY_LLM.search(text)
    if found is not None:
        return f"the variable {found[1]}"
    if text.startswith(_OF_LITELLM):
        return f"the variable {text.removeprefix(_OF_LITELLM)}"
    return "the file itself"


def filled(value: Any) -> str | None:
    """A text with its variables filled in; None where one of them is not set."""
    if value in (None, ""):
        return None
    text = str(value)
    if text.startswith(_OF_LITELLM):
        return os.environ.get(text.removeprefix(_OF_LITELLM))
    names = _OF_ANY_LLM.findall(text)
    if any(name not in os.environ for name in names):
        return None
    return _OF_ANY_LLM.sub(lambda found: os.environ[found[1]], text)
