"""Signing in: what is asked for, what is kept where, and what nobody else can read."""

from __future__ import annotations

import json
import stat
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.e2e.command import Command
from tests.e2e.gateway_process import MASTER_KEY, ROOT
from tests.e2e.seat import CTRL_C, Seat

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.deployment import Deployment

NO_KEY = {"BURSAR_MASTER_KEY": "", "BURSAR_KEYRING": "off"}


@pytest.fixture
def bursar(tmp_path: Path) -> Command:
    """Somebody without any variable set, on a machine without a keyring."""
    return Command(tmp_path / "home", None, NO_KEY)


def _config(bursar: Command) -> Path:
    return bursar.home / ".config" / "bursar"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _log_in(bursar: Command, url: str, *words: str) -> None:
    bursar("login", url, *words, stdin=MASTER_KEY)


def test_the_key_is_asked_for_without_an_echo_and_is_in_no_argument(
    served: Deployment, bursar: Command
) -> None:
    with Seat(bursar, "login", served.gateway.url) as seat:
        seat.sees("Master key of")
        assert MASTER_KEY not in seat.arguments
        seat.types(MASTER_KEY)
        seat.sees("Signed in to")
        assert seat.ends() == 0
        assert MASTER_KEY not in seat.screen
        assert "credentials.json" in seat.screen.replace("\n", "")
    assert bursar.json("whoami")["identity"] == "master key"


def test_the_key_is_kept_in_a_private_file_and_the_address_in_another(
    served: Deployment, bursar: Command
) -> None:
    _log_in(bursar, f"{served.gateway.url}/v1", "--profile", "here")
    folder = _config(bursar)
    assert _mode(folder) == 0o700
    assert _mode(folder / "credentials.json") == 0o600
    assert json.loads((folder / "credentials.json").read_text()) == {"here": MASTER_KEY}
    assert tomllib.loads((folder / "config.toml").read_text()) == {
        "default": "here",
        "profiles": {"here": {"url": served.gateway.url}},
    }


def test_a_wrong_key_is_refused_and_nothing_is_kept(served: Deployment, bursar: Command) -> None:
    ended = bursar.run("login", served.gateway.url, stdin="not-the-master-key")
    assert ended.exit_code == 4
    assert "not-the-master-key" not in ended.said
    assert not _config(bursar).exists()


def test_a_keyring_is_used_where_there_is_one(
    served: Deployment, bursar: Command, tmp_path: Path
) -> None:
    _log_in(bursar, served.gateway.url, "--profile", "ring")
    keyring = {
        "BURSAR_KEYRING": "",
        "FILE_KEYRING": str(tmp_path / "keyring.json"),
        "PYTHONPATH": str(ROOT),
        "PYTHON_KEYRING_BACKEND": "tests.fakes.file_keyring.FileKeyring",
    }
    said = bursar.run(
        "login", served.gateway.url, "--profile", "ring", stdin=MASTER_KEY, environ=keyring
    ).said
    assert "keyring" in said
    assert json.loads((tmp_path / "keyring.json").read_text()) == {"bursar:ring": MASTER_KEY}
    # What the file had is not left behind.
    assert MASTER_KEY not in (_config(bursar) / "credentials.json").read_text()
    assert bursar.run("whoami", environ=keyring).exit_code == 0
    bursar("logout", environ=keyring)
    assert json.loads((tmp_path / "keyring.json").read_text()) == {}
    assert bursar.run("whoami", environ=keyring).exit_code == 4


def test_a_keyring_that_is_locked_leaves_the_key_to_the_file(
    served: Deployment, bursar: Command
) -> None:
    locked = {
        "BURSAR_KEYRING": "",
        "PYTHONPATH": str(ROOT),
        "PYTHON_KEYRING_BACKEND": "tests.fakes.file_keyring.LockedKeyring",
    }
    ended = bursar.run("login", served.gateway.url, stdin=MASTER_KEY, environ=locked)
    assert ended.exit_code == 0, ended.said
    assert "credentials.json" in ended.said
    assert _mode(_config(bursar) / "credentials.json") == 0o600


def test_a_key_is_not_sent_over_a_network_in_the_clear(bursar: Command) -> None:
    ended = bursar.run("login", "http://gateway.example.com", stdin=MASTER_KEY)
    assert ended.exit_code == 2
    assert "https://gateway.example.com" in ended.said


def test_logging_out_forgets_the_key_and_keeps_the_address(
    served: Deployment, bursar: Command
) -> None:
    _log_in(bursar, served.gateway.url)
    bursar("logout")
    assert MASTER_KEY not in (_config(bursar) / "credentials.json").read_text()
    assert bursar.run("keys", "list").exit_code == 4
    (row,) = bursar.json("profiles", "list")
    assert (row["name"], row["url"]) == ("local", served.gateway.url)


def test_profiles_are_listed_chosen_and_removed(served: Deployment, bursar: Command) -> None:
    for name in ("one", "two"):
        _log_in(bursar, served.gateway.url, "--profile", name)
    bursar("profiles", "use", "one")
    rows = bursar.json("profiles", "list")
    assert {row["name"]: row["is_default"] for row in rows} == {"one": True, "two": False}
    assert bursar.run("profiles", "remove", "two").exit_code == 2  # nobody to ask
    bursar("profiles", "remove", "two", "--yes")
    assert bursar.run("whoami", "--profile", "two").exit_code == 3
    assert "two" not in (_config(bursar) / "credentials.json").read_text()


def test_a_profile_that_is_led_elsewhere_takes_no_secret_along(
    served: Deployment, bursar: Command
) -> None:
    _log_in(bursar, served.gateway.url, "--profile", "moved")
    kept = _config(bursar) / "credentials.json"
    kept.write_text(json.dumps({"moved": MASTER_KEY, "moved/key": "gw-of-the-other-gateway"}))
    elsewhere = served.gateway.url.replace("127.0.0.1", "localhost")
    ended = bursar.run("login", elsewhere, "--profile", "moved", stdin=MASTER_KEY)
    assert f"led to {served.gateway.url} before" in ended.said
    assert json.loads(kept.read_text()) == {"moved": MASTER_KEY}


def test_ctrl_c_at_the_question_ends_as_a_signal_does(served: Deployment, bursar: Command) -> None:
    with Seat(bursar, "login", served.gateway.url) as seat:
        seat.sees("Master key of")
        seat.presses(CTRL_C)
        assert seat.ends() == 130
    assert not _config(bursar).exists()


def test_status_tells_health_contents_and_spending(served: Deployment, tmp_path: Path) -> None:
    bursar = Command(tmp_path / "home", served.gateway.url)
    holder = served.holder("5")
    answer = bursar.run("chat", "openai:fake", "hello", environ={"BURSAR_API_KEY": holder.key})
    assert answer.exit_code == 0, answer.said
    found = bursar.json("status")
    assert (found["status"], found["database"], found["profile"]) == ("healthy", "connected", None)
    assert "openai" in found["providers"]
    assert found["keys"] >= 1
    assert found["today"]["requests"] >= 1
    assert 0 < found["today"]["cost"] <= found["month"]["cost"]
    assert sum(found["month"]["by_day"]) == pytest.approx(found["month"]["cost"])
    assert found["recent"]["errors"] == 0
    with Seat(bursar, "status") as seat:
        assert seat.ends() == 0
        assert "THIS MONTH" in seat.screen
        assert len(seat.screen.splitlines()) < 25
