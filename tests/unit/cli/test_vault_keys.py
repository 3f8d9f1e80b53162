"""A vault's new key is told whenever the gateway may have it: it is nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bursar.cli import vaults
from bursar.cli.failures import Failed, RefusedByGateway
from bursar.cli.main import main
from bursar.vault import AnyLlmKey, OpenedVault

_OLD = AnyLlmKey.generate()


@dataclass
class _Gateway:
    """One project; what changes its vault ends by an error, if there is one."""

    encryption_key: str | None
    error: BaseException | None = None
    shares: BaseException | None = None
    taken: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        if path.startswith("/projects/?"):
            known = {"id": "p", "name": "web", "encryption_key": self.encryption_key}
            return {"data": [known]}
        if path == "/accounts/me":
            if self.shares is not None:
                raise self.shares
            return {"id": "ada"}
        if method == "GET":
            return {"shares": [], "data": []}
        if self.error is not None:
            raise self.error
        self.taken.append(body["encryption_key"])
        return {}


def _run(monkeypatch: pytest.MonkeyPatch, gateway: _Gateway, verb: str) -> Result:
    monkeypatch.setattr(vaults, "signed_in", lambda: (None, gateway))
    opened = OpenedVault(_OLD.private_key, oldest_format=1)
    monkeypatch.setattr(vaults, "open_vault", lambda *_: opened)
    return CliRunner().invoke(main, ["vault", verb, "web"])


def _gateway(verb: str, error: BaseException | None = None) -> _Gateway:
    return _Gateway(None if verb == "create" else str(_OLD.private_key.public), error)


@pytest.mark.parametrize("verb", ["create", "rotate"])
def test_it_is_told_once_it_is_taken(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    gateway = _gateway(verb)
    done = _run(monkeypatch, gateway, verb)
    assert done.exit_code == 0
    told = AnyLlmKey.parse(done.stdout.strip())
    assert gateway.taken == [str(told.private_key.public)]


@pytest.mark.parametrize(
    "error",
    [Failed("no answer"), RefusedByGateway(502, "Bad Gateway", None), KeyboardInterrupt()],
)
@pytest.mark.parametrize("verb", ["create", "rotate"])
def test_it_is_told_where_nobody_knows_whether_it_was(
    monkeypatch: pytest.MonkeyPatch, verb: str, error: BaseException
) -> None:
    done = _run(monkeypatch, _gateway(verb, error), verb)
    assert done.exit_code != 0
    assert AnyLlmKey.parse(done.stdout.strip())
    assert "is not known" in done.stderr


@pytest.mark.parametrize("verb", ["create", "rotate"])
def test_one_that_was_refused_is_not_told(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    error = RefusedByGateway(409, "somebody was faster", None)
    done = _run(monkeypatch, _gateway(verb, error), verb)
    assert (done.exit_code, done.stdout) == (5, "")


def test_it_is_told_though_it_could_not_be_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = _gateway("create")
    gateway.shares = Failed("no answer")
    done = _run(monkeypatch, gateway, "create")
    assert done.exit_code == 1
    assert AnyLlmKey.parse(done.stdout.strip())
