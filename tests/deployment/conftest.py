"""One deployment for every test here: no test disturbs another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployment.deployed import Deployed, deployed
from tests.deployment.emulator import EmulatorAbsentError
from tests.infrastructure.sam import BIN

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def bursar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Bursar, deployed."""
    if not (BIN / "sam").exists():
        pytest.skip(f"{BIN} has no sam: run make env")
    try:
        with deployed(tmp_path_factory.mktemp("deployed")) as it:
            yield it
    except EmulatorAbsentError as reason:
        pytest.skip(f"no AWS emulator: {reason}")
