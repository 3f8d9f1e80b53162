"""The public data, from the releases of two packages; neither is installed.

genai-prices keeps its data as Python, which is imported from the unpacked release. LiteLLM's list
is one JSON file, and nothing else of it is unpacked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from genai_prices.types import Provider

GENAI_PRICES = "genai-prices"
LITELLM = "litellm"
_LIST = "litellm/model_prices_and_context_window_backup.json"


def installed_version() -> str | None:
    """The version of genai-prices in this environment, None where it is not there."""
    try:
        return version(GENAI_PRICES)
    except PackageNotFoundError:
        return None


def providers_of(release: str | None, folder: Path) -> tuple[str, Sequence[Provider]]:
    """The version of a release of genai-prices and its data, importable from then on.

    Args:
        release: a version; None for the newest.
        folder: where to unpack it.

    Raises:
        CalledProcessError: the package index does not have it.
    """
    wheel = _downloaded(GENAI_PRICES, release, folder)
    unpacked = folder / GENAI_PRICES
    with ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    sys.path.insert(0, str(unpacked))
    return _version_of(wheel), import_module("genai_prices.data").providers


def listed_by_litellm(
    release: str | None, folder: Path
) -> tuple[str, Mapping[str, Mapping[str, Any]]]:
    """LiteLLM's list in a release and its version; `release` and errors as above."""
    wheel = _downloaded(LITELLM, release, folder)
    with ZipFile(wheel) as archive:
        return _version_of(wheel), json.loads(archive.read(_LIST))


def _downloaded(package: str, release: str | None, folder: Path) -> Path:
    wanted = package if release is None else f"{package}=={release}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary"]
    subprocess.run([*command, ":all:", "--dest", str(folder), wanted], check=True)  # noqa: S603 (our own arguments)
    return next(folder.glob(f"{package.replace('-', '_')}-*.whl"))


def _version_of(wheel: Path) -> str:
    return wheel.name.split("-")[1]
