"""A connection that answers what a test says, and `bursar` run in this process upon it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner, Result

from bursar.cli.failures import Failed
from bursar.cli.main import main
from bursar.cli.options import Place, Session
from bursar.cli.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest


@dataclass
class FakeGateway:
    """Answers by method and path; what it was asked is kept.

    Attributes:
        answers: an answer, or an exception to raise; a list of a path is one page.
        asked: method, path, body and parameters of every question.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, Any, dict[str, Any]]] = field(default_factory=list)
    name: str = "a fake"
    url: str = "http://fake.invalid"

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        given: dict[str, Any] = {
            name: value for name, value in (query or {}).items() if value is not None
        }
        self.asked.append((method, path, body, given))
        answer = self.answers.get(f"{method} {path}")
        if answer is None and method != "DELETE":
            raise Failed(f"nobody said what {method} {path} answers", 3)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, list) and "limit" in given:
            return answer[given.get("skip", 0) :][: given["limit"]]
        return answer

    def body_of(self, method: str) -> Any:
        """The body of the only question of a method."""
        (body,) = [asked[2] for asked in self.asked if asked[0] == method]
        return body

    def run(self, monkeypatch: pytest.MonkeyPatch, *words: str, stdin: str | None = None) -> Result:
        """Run the command with this in place of a gateway."""

        def session(place: Place) -> Session:
            return Session(self, place.output, Profile())

        monkeypatch.setattr(Place, "session", session)
        for name in ("BURSAR_OUTPUT", "NO_COLOR"):
            monkeypatch.delenv(name, raising=False)
        return CliRunner().invoke(main, list(words), input=stdin)
