"""What is in the way of the command's own files is said, and what is in them stays private."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from bursar.cli import secret_store
from bursar.cli.failures import Failed
from bursar.cli.login_file import Login, login_path, write_login
from bursar.cli.main import main
from bursar.cli.options import place_of, read_consented
from bursar.cli.output import Output
from bursar.cli.private_file import write_private
from bursar.cli.profiles import Profile, Profiles, write_profiles
from bursar.cli.secret_store import keep_secret_of, read_secret_of

if TYPE_CHECKING:
    from pathlib import Path

_SECRET = "bursar-master-of-this-test"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own; the folder of the command's files."""
    for name in ("PROFILE", "URL", "STACK", "MASTER_KEY", "OUTPUT"):
        monkeypatch.delenv(f"BURSAR_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("BURSAR_KEYRING", "off")
    return tmp_path / "bursar"


def _run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def _is_private(path: Path) -> bool:
    return stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x = [", "Invalid value"),
        ("profiles = 4", "`profiles` are tables"),
        ("default = 3", "`profiles` are tables"),
        ("[profiles]\na = 1", "profile a has something else"),
        ("[profiles.a]\nurl = 5", "profile a has something else"),
        ("[profiles.a]\nurl = 'http://a'\nkey = 'x'", "profile a has key, which none has"),
        ("a = '\udcff'", "can't decode"),
    ],
)
def test_profiles_that_cannot_be_read_are_told_with_their_file(
    home: Path, text: str, why: str
) -> None:
    home.mkdir()
    (home / "config.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    done = _run("keys", "list")
    assert done.exit_code == 1
    assert f"{home / 'config.toml'} cannot be read" in done.stderr
    assert why in done.stderr


def test_a_folder_in_a_files_place_is_told_by_its_name(home: Path) -> None:
    (home / "config.toml").mkdir(parents=True)
    done = _run("keys", "list", "-o", "json")
    assert json.loads(done.stderr)["error"]["message"] == f"{home / 'config.toml'}: Is a directory"


def test_a_home_that_cannot_be_written_to_is_told_by_its_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write_text("no folder")
    monkeypatch.setattr(secret_store, "_read_file", dict)
    with pytest.raises(OSError, match=str(home)):
        keep_secret_of("a", _SECRET)
    assert str(home) in _run("profiles", "list").stderr


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', "{", "null"])
def test_damaged_secrets_are_told_with_their_file(home: Path, text: str) -> None:
    home.mkdir()
    (home / "credentials.json").write_text(text)
    with pytest.raises(Failed, match=f"{home}/credentials.json is damaged"):
        read_secret_of("a")


def test_all_that_is_kept_is_its_owners_alone(home: Path) -> None:
    keep_secret_of("a", _SECRET)
    write_login(Login("http://a", "a@example.com", "token"))
    write_profiles(Profiles({"a": Profile("http://a")}, "a"))
    assert all(map(_is_private, (home / "credentials.json", login_path(), home / "config.toml")))
    assert sorted(each.name for each in home.iterdir()) == [
        *("config.toml", "credentials.json", "login.json")
    ]


def test_a_draft_that_somebody_left_open_makes_no_secret_readable(home: Path) -> None:
    home.mkdir()
    (home / "credentials.new").write_text("")
    (home / "credentials.new").chmod(0o644)
    keep_secret_of("a", _SECRET)
    assert _is_private(home / "credentials.json")


def test_a_secret_that_others_can_read_is_told_each_time(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_secret_of("a", _SECRET)
    read_secret_of("a")
    assert capsys.readouterr().err == ""
    path = home / "credentials.json"
    path.chmod(0o640)
    assert read_secret_of("a") == _SECRET
    assert f"chmod 600 {path}" in capsys.readouterr().err


def test_what_cannot_be_written_whole_leaves_what_was_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "kept"
    write_private(path, "before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(path, "after")
    assert path.read_text() == "before"
    assert [each.name for each in home.iterdir()] == ["kept"]


def test_an_address_is_taken_as_login_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert place_of(Output(), url="localhost:8000/v1").profile.url == "http://localhost:8000"
    monkeypatch.setenv("BURSAR_URL", "gateway.example.com/")
    assert place_of(Output()).profile.url == "https://gateway.example.com"
    monkeypatch.setenv("BURSAR_URL", "not an address")
    with pytest.raises(Failed, match="no gateway's address"):
        place_of(Output())


def test_no_command_sends_a_master_key_over_a_network_in_the_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BURSAR_MASTER_KEY", _SECRET)
    done = _run("keys", "list", "--url", "http://gateway.example.com")
    assert done.exit_code == 2
    assert "bursar login http://gateway.example.com --plain-http" in done.stderr


@pytest.mark.parametrize("command", ["create", "login", "recover"])
def test_nor_what_a_person_signs_in_with(command: str) -> None:
    done = _run("accounts", command, "ada@example.com", "--url", "http://gateway.example.com")
    assert done.exit_code == 2
    assert "A secret would cross the network in the clear" in done.stderr


def test_where_it_was_consented_to_at_login_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURSAR_MASTER_KEY", _SECRET)
    write_profiles(Profiles({"lab": Profile("http://gateway.example.com")}, "lab"))
    assert place_of(Output()).connection().url == "http://gateway.example.com"
    assert place_of(Output(), url="http://gateway.example.com").connection()
    assert read_consented(None, None, "http://gateway.example.com/")
