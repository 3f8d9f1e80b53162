"""What the tests of published clients share: one gateway a module, people, and the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import deployment, served, upstream
from tests.published_clients.accounts import Account, account, usage
from tests.published_clients.environments import NEWEST
from tests.published_clients.library import Client, Library, Project, project_with_a_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.deployment import Deployment
    from tests.published_clients.accounts import Books

__all__ = ["deployment", "served", "upstream"]


@pytest.fixture(scope="module")
def alice(served: Deployment) -> Account:
    return account(served)


@pytest.fixture(scope="module")
def library(served: Deployment) -> Iterator[Library]:
    with Library(NEWEST, served.gateway.url) as made:
        yield made


@pytest.fixture(scope="module")
def client(library: Library, alice: Account) -> Client:
    """Alice's, logged in."""
    made = library.client()
    made.login(alice.email, alice.password)
    return made


@pytest.fixture(scope="module")
def books(served: Deployment, client: Client, alice: Account) -> Books:
    """The usage of alice's projects."""
    token = client.login(alice.email, alice.password)
    return lambda project: usage(served, token, project.id)


@pytest.fixture
def project(client: Client) -> Project:
    """A new one of alice's."""
    return project_with_a_key(client)
