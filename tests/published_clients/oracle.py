"""any-llm's SDK, asked how it translates: many calls in one process, for its import takes long."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.fakes.wire_files import wire_bytes
from tests.published_clients.environments import ORACLE

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTENT_TYPES: Final = {
    ".json": "application/json",
    ".sse": "text/event-stream",
    ".eventstream": "application/vnd.amazon.eventstream",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One call, and what the provider answers.

    Attributes:
        name: for the test's id.
        request: in the caller's dialect, without its model.
        answer: a file in `events/wire/`, in the provider's dialect.
        model: the provider's name for it.
    """

    name: str
    request: Mapping[str, Any]
    answer: str
    model: str

    @property
    def is_streamed(self) -> bool:
        return not self.answer.endswith(".json")

    @property
    def provided(self) -> dict[str, str]:
        """The answer as the program takes it."""
        content_type = _CONTENT_TYPES[PurePath(self.answer).suffix]
        return provided(wire_bytes(self.answer), content_type)


@dataclass(frozen=True, slots=True)
class Oracle:
    """One of the SDK's methods with one of its providers.

    Attributes:
        method: `acompletion` or `amessages`.
        provider: the SDK's name of it.
        path: what its API's address has after the origin.
        credentials: what the SDK makes the provider with.
    """

    method: str
    provider: str
    path: str = ""
    credentials: Mapping[str, str] = field(default_factory=lambda: {"api_key": "sk-none"})

    def call(self, case: Case) -> dict[str, Any]:
        """The call as the program takes it."""
        arguments = {**case.request, "model": case.model}
        if case.is_streamed:
            arguments["stream"] = True
        return {
            "method": self.method,
            "provider": self.provider,
            "path": self.path,
            "credentials": self.credentials,
            "arguments": arguments,
            "answer": case.provided,
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call.

    Attributes:
        sent: what the provider got, None if nothing.
        answer: what the caller got, a list of chunks or events if it was streamed.
        raised: what the SDK raised instead.
    """

    sent: dict[str, Any] | None
    answer: Any = None
    raised: str | None = None
    says: str = field(default="")


def provided(body: bytes, content_type: str = "application/json") -> dict[str, str]:
    """An answer as the program takes it."""
    return {"body": base64.b64encode(body).decode(), "content_type": content_type}


def outcomes(calls: Iterable[dict[str, Any]]) -> list[Outcome]:
    """Make the calls, one after the other."""
    done = ORACLE.run(
        ORACLE.command("translations.py"), ORACLE.environ("http://127.0.0.1"), json.dumps([*calls])
    )
    assert done.returncode == 0, done.stderr
    return [Outcome(**each) for each in json.loads(done.stdout.splitlines()[-1])]


def by_name(oracle: Oracle, cases: Iterable[Case]) -> dict[str, Outcome]:
    """Every case's outcome."""
    listed = list(cases)
    found = outcomes(oracle.call(case) for case in listed)
    return {case.name: outcome for case, outcome in zip(listed, found, strict=True)}


def each_of(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Parametrize a test with cases."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases])
