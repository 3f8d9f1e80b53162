"""What the end-to-end tests share: a fake provider a module, and a deployment of one gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.deployment import Deployment
from tests.fakes.openai_upstream import FakeOpenAI

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def upstream() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as fake:
        yield fake


@pytest.fixture(scope="module")
def deployment(
    dynoxide: str, upstream: FakeOpenAI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A table of the module's own; it starts no gateway."""
    made = Deployment(tmp_path_factory.mktemp("deployment"), dynoxide, upstream)
    yield made
    made.books.close()


@pytest.fixture(scope="module")
def served(deployment: Deployment) -> Iterator[Deployment]:
    """A deployment with one gateway on default settings, shared by the module's tests."""
    with deployment.running():
        yield deployment
