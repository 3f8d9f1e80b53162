"""A deployment before two providers: one speaks OpenAI's dialects, one Anthropic's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.deployment import Deployment
from tests.fakes.anthropic_upstream import FakeAnthropic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.deployment import Holder
    from tests.fakes.openai_upstream import FakeOpenAI


@pytest.fixture(scope="session")
def anthropic_upstream() -> Iterator[FakeAnthropic]:
    with FakeAnthropic() as fake:
        yield fake


@pytest.fixture(scope="module")
def deployment(
    dynoxide: str,
    upstream: FakeOpenAI,
    anthropic_upstream: FakeAnthropic,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """A table of the module's own; it starts no gateway."""
    folder = tmp_path_factory.mktemp("deployment")
    made = Deployment(folder, dynoxide, upstream, anthropic_upstream)
    yield made
    made.books.close()


@pytest.fixture(scope="module")
def holder(served: Deployment) -> Holder:
    """Somebody with a budget that is never spent."""
    return served.holder("100")
