from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.usage_filters import STATUSES, Wanted
from bursar.domain.projects import project_user_id
from bursar.domain.usage import Status


def test_what_is_not_asked_for_does_not_narrow() -> None:
    assert set(Wanted().query.values()) == {None}


def test_filters_are_the_apis_parameters() -> None:
    since = datetime(2026, 11, 1, tzinfo=UTC)
    wanted = Wanted(since=since, user="alice", key="k", model="m", provider="p", status="error")

    assert wanted.query == {
        "start": "2026-11-01T00:00:00Z",
        "end": None,
        "user_id": "alice",
        "key_id": "k",
        "model": "m",
        "provider": "p",
        "status": "error",
    }


def test_a_projects_books_are_those_of_its_own_user() -> None:
    assert Wanted(project="p-1").query["user_id"] == project_user_id("p-1")


def test_nobody_is_a_user_and_a_project() -> None:
    with pytest.raises(Failed) as refused:
        _ = Wanted(user="alice", project="p-1").query
    assert refused.value.exit_code == WRONG_USAGE


def test_every_end_that_the_books_know_can_be_asked_for() -> None:
    assert set(STATUSES) == set(Status)
