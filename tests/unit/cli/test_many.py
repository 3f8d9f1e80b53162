"""Many records from a file, of which one is refused: what was made is not lost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bursar.cli.failures import RefusedByGateway
from tests.unit.cli.fake_gateway import FakeGateway

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = '{"user_id": "a"}\n{"user_id": "b"}\n{"user_id": "c"}\n'


@dataclass
class _RefusesTheThird(FakeGateway):
    """Issues two keys."""

    ends_by: type[BaseException] | None = None

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        self.asked.append((method, path, body, {}))
        number = len(self.asked)
        if number < 3:
            return {"id": f"k{number}", "user_id": "a", "key": f"gw-secret-{number}"}
        if self.ends_by is not None:
            raise self.ends_by
        raise RefusedByGateway(422, "user_id: no", "r-1")


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
def test_keys_that_are_told_once_are_told_though_another_is_refused(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = _RefusesTheThird()
    done = gateway.run(monkeypatch, "keys", "create", "--from-file", "-", "-o", kind, stdin=_FILE)
    assert done.exit_code == 2
    assert "gw-secret-1" in done.stdout
    assert "gw-secret-2" in done.stdout
    assert "Record 3: user_id: no; the 2 before it are done" in done.stderr


def test_and_though_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = _RefusesTheThird(ends_by=KeyboardInterrupt)
    words = ("keys", "create", "--from-file", "-", "-o", "json")
    done = gateway.run(monkeypatch, *words, stdin=_FILE)
    assert [each["key"] for each in json.loads(done.stdout)] == ["gw-secret-1", "gw-secret-2"]
    assert done.exit_code == 130


def test_the_error_keeps_the_answers_status_and_the_requests_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ("keys", "create", "--from-file", "-", "-o", "jsonl")
    done = _RefusesTheThird().run(monkeypatch, *words, stdin=_FILE)
    error = json.loads(done.stderr)["error"]
    assert (error["status"], error["request_id"]) == (422, "r-1")


def test_users_that_were_made_are_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    done = _RefusesTheThird().run(monkeypatch, "users", "create", "--from-file", "-", stdin=_FILE)
    assert len(done.stdout.splitlines()) == 3
    assert done.exit_code == 2
