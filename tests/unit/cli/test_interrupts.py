"""What is made for a while is taken away, whenever and however the command is ended."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.cli.chat_keys import a_key
from bursar.cli.doctor.temporary import Temporary
from bursar.cli.failures import Failed, RefusedByGateway
from bursar.cli.interrupts import orderly_end
from bursar.cli.options import Place, Session
from bursar.cli.output import Output
from bursar.cli.profiles import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Gateway:
    """Makes what it is asked for.

    Attributes:
        has: every record that is there, by its path.
        on_made: what comes when something is made, before that is told.
    """

    on_made: Any = None
    has: set[str] = field(default_factory=set)
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
        if method == "DELETE":
            if path not in self.has:
                raise RefusedByGateway(404, "not there", None)
            self.has.remove(path)
        if method != "POST":
            return None
        assert isinstance(body, dict)
        identifier = body.get("model_key") or (body["user_id"] if path == "/v1/users" else "made")
        self.has.add(f"{path}/{identifier.replace(':', '%3A')}")
        if self.on_made is not None:
            self.on_made()
        return {"id": identifier, "key": "gw-x", "budget_id": identifier, **body}


def _temporary(gateway: Gateway) -> Temporary:
    return Temporary(Session(gateway, Output(), Profile()))


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_something_is_made_takes_it_away_again(number: signal.Signals) -> None:
    gateway = Gateway(lambda: signal.raise_signal(number))
    temporary = _temporary(gateway)
    with pytest.raises((KeyboardInterrupt, SystemExit)) as ended, temporary.removed():
        temporary.holder("a", "mock:x")
    assert gateway.has == set()
    if ended.type is SystemExit:
        assert ended.value.args == (128 + number,)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_chats_key_is_taken_away_though_the_signal_came_as_it_was_made(
    number: signal.Signals,
) -> None:
    gateway = Gateway(lambda: signal.raise_signal(number))
    place = Place(Output(), Profile(user="ada"))
    with (
        pytest.raises((KeyboardInterrupt, SystemExit)),
        orderly_end(),
        a_key(place, gateway, None, "mock:x"),
    ):
        pytest.fail("it is interrupted before it is used")
    assert gateway.has == set()


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with orderly_end():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_may_be_there_though_no_answer_came_is_taken_away() -> None:
    def silent() -> None:
        raise Failed("no answer")

    gateway = Gateway(silent)
    temporary = _temporary(gateway)
    with pytest.raises(Failed, match="no answer"), temporary.removed():
        temporary.price("mock:x", Decimal(1))
    assert gateway.has == set()


def test_what_was_refused_is_not_told_to_be_removed_by_hand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Refusing(Gateway):
        def ask(self, *_: Any, **__: Any) -> Any:
            raise RefusedByGateway(401, "Invalid master key", None)

    temporary = _temporary(Refusing())
    with pytest.raises(Failed), temporary.removed():
        temporary.holder("a", "mock:x")
    assert "by hand" not in capsys.readouterr().err


def test_what_stays_is_told_also_where_nothing_else_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway = Gateway()
    temporary = Temporary(Session(gateway, Output(is_quiet=True), Profile()))
    with temporary.removed():
        temporary.price("mock:x", Decimal(1))
        gateway.ask = _down  # type: ignore[method-assign]
    assert "by hand: /v1/pricing/mock:x: down" in capsys.readouterr().err


def _down(*_: Any, **__: Any) -> Any:
    raise Failed("down")
