from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bursar.cli.doctor import trials
from bursar.cli.doctor.calling import Answer
from bursar.cli.doctor.temporary import Temporary
from bursar.cli.doctor.trials import NoTrialError, prepare
from bursar.cli.failures import Failed
from bursar.cli.options import Session
from bursar.cli.output import Output
from bursar.cli.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class _Gateway:
    name: str = "a fake"
    url: str = "http://fake.invalid"

    def ask(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, object] | None = None
    ) -> Any:
        return {"id": "k", "key": "gw-x", "budget_id": "b", "model_key": "m", **(body or {})}


@dataclass
class _Plane:
    answer: Answer
    asked: list[Any] = field(default_factory=list)

    def wait_until_known(self, key: str) -> None: ...

    def ask(self, key: str, body: Any) -> Answer:
        self.asked.append(body)
        return self.answer


def _prepared(monkeypatch: pytest.MonkeyPatch, status: int, code: str) -> None:
    content = json.dumps({"error": {"message": "why", "code": code}}).encode()
    monkeypatch.setattr(trials, "DataPlane", lambda _: _Plane(Answer(status, content)))
    prepare(Temporary(Session(_Gateway(), Output(), Profile())), "http://fake.invalid", "a:b")


@pytest.mark.parametrize(
    ("status", "code"), [(500, "internal_error"), (503, "store_unavailable"), (502, "none")]
)
def test_a_gateway_that_fails_is_no_model_that_cannot_be_called(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    with pytest.raises(Failed, match=f"answered with {status}: why"):
        _prepared(monkeypatch, status, code)


@pytest.mark.parametrize(
    ("status", "code"), [(404, "model_not_found"), (503, "not_configured"), (400, "x")]
)
def test_a_model_that_is_refused_is_only_not_called(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    with pytest.raises(NoTrialError, match="why"):
        _prepared(monkeypatch, status, code)
