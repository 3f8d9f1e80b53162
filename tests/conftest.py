"""DynamoDB engines for every suite: one of each for a test worker, started when first asked for.

Tests share an engine, so each makes a table under a name of its own.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import engines

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_configure() -> None:
    """Let examples take the time they need, and processes that tests start be interrupted.

    Whoever runs the tests in the background of a script has them ignore Ctrl-C, which processes
    inherit.
    """
    settings.register_profile(
        "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("unhurried")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def dynoxide() -> Iterator[str]:
    """The endpoint of a dynoxide in memory."""
    try:
        with engines.dynoxide() as endpoint:
            yield endpoint
    except engines.EngineAbsentError as reason:
        pytest.skip(f"no dynoxide: {reason}")


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[str]:
    """The endpoint of AWS's DynamoDB Local in memory."""
    try:
        with engines.dynamodb_local() as endpoint:
            yield endpoint
    except engines.EngineAbsentError as reason:
        pytest.skip(f"no DynamoDB Local: {reason}")


@pytest.fixture(scope="session", params=["dynoxide", "dynamodb_local"])
def engine_endpoint(request: pytest.FixtureRequest) -> str:
    """The endpoint of each engine in turn."""
    endpoint: str = request.getfixturevalue(request.param)
    return endpoint
