"""The first-run guide: from nothing to an answer, and again without doing anything twice."""

from __future__ import annotations

import os
import re
import signal
import stat
import uuid
from typing import TYPE_CHECKING

import pytest

from tests import engines
from tests.e2e.command import Command
from tests.e2e.deployment import MODEL
from tests.e2e.gateway_process import MASTER_KEY, TOOLS, exists, until
from tests.e2e.seat import CTRL_C, Seat
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.deployment import Deployment

KEY_LINE = re.compile(r"^export BURSAR_API_KEY=(gw-\S+)$", re.MULTILINE)
STARTED = re.compile(r"as process (\d+)")


@pytest.fixture
def user() -> str:
    return f"first-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def bursar(tmp_path: Path) -> Command:
    """Somebody without any variable set, on a machine without a keyring."""
    return Command(tmp_path / "home", None, {"BURSAR_MASTER_KEY": "", "BURSAR_KEYRING": "off"})


def _keys(served: Deployment, user: str) -> list[str]:
    listed = served.gateway.admin("GET", "/v1/keys?limit=1000")
    return [key["id"] for key in listed if key["user_id"] == user]


def test_every_step_by_flags_makes_a_key_that_works(
    served: Deployment, bursar: Command, user: str
) -> None:
    given = {"BURSAR_MASTER_KEY": MASTER_KEY}
    words = ("init", "--url", served.gateway.url, "--user", user, "--budget", "3", "--yes")
    ended = bursar.run(*words, "--model", MODEL, environ=given)
    assert ended.exit_code == 0, ended.said
    (key,) = KEY_LINE.findall(ended.data)
    assert key not in ended.said
    assert MASTER_KEY not in ended.data + ended.said
    assert f'base_url="{served.gateway.url}/v1"' in ended.data
    assert "anthropic.Anthropic(" in ended.data

    known = served.gateway.admin("GET", f"/v1/users/{user}")
    budget = served.gateway.admin("GET", f"/v1/budgets/{known['budget_id']}")
    assert (budget["max_budget"], budget["budget_period"]) == (3, "month")
    assert known["spend"] > 0
    assert stat.S_IMODE((bursar.home / ".config/bursar/credentials.json").stat().st_mode) == 0o600


def test_a_second_run_makes_nothing_again_and_shows_no_key(
    served: Deployment, bursar: Command, user: str
) -> None:
    words = ("init", "--url", served.gateway.url, "--user", user, "--model", MODEL, "--yes")
    first = bursar.run(*words, environ={"BURSAR_MASTER_KEY": MASTER_KEY})
    (key,) = KEY_LINE.findall(first.data)
    budgets = len(served.gateway.admin("GET", "/v1/budgets?limit=1000"))

    again = bursar.run(*words, "-o", "json")
    assert again.exit_code == 0, again.said
    assert again.json["key"] is None
    assert again.json["answer"]
    assert key not in again.data + again.said
    assert len(_keys(served, user)) == 1
    assert len(served.gateway.admin("GET", "/v1/budgets?limit=1000")) == budgets


def test_what_it_kept_is_enough_to_chat(served: Deployment, bursar: Command, user: str) -> None:
    words = ("init", "--url", served.gateway.url, "--user", user, "--model", MODEL, "--yes")
    bursar(*words, environ={"BURSAR_MASTER_KEY": MASTER_KEY})
    ended = bursar.run("chat", "How are you?")  # the profile knows the model and the key
    assert ended.exit_code == 0, ended.said
    assert ended.data.strip()
    assert len(_keys(served, user)) == 1


def test_a_model_without_a_price_is_told_with_the_remedy(
    served: Deployment, bursar: Command, user: str
) -> None:
    words = ("init", "--url", served.gateway.url, "--user", user, "--yes")
    ended = bursar.run(
        *words, "--model", "openai:nobody-priced-it", environ={"BURSAR_MASTER_KEY": MASTER_KEY}
    )
    assert ended.exit_code == 5
    assert "bursar prices set openai:nobody-priced-it" in ended.said
    assert KEY_LINE.findall(ended.data)  # what was made is not lost


def test_nobody_is_asked_who_is_not_there(bursar: Command) -> None:
    ended = bursar.run("init")
    assert ended.exit_code == 2
    assert "--yes" in ended.said


def test_a_person_is_led_through_questions(served: Deployment, bursar: Command, user: str) -> None:
    nowhere = {"BURSAR_PORT": str(free_port())}
    words = ("init", "--user", user, "--model", MODEL)
    with Seat(bursar, *words, environ=nowhere) as seat:
        seat.sees("Where is the gateway?")
        seat.sees("Choose")
        seat.types("2")
        seat.sees("Its address")
        seat.types(served.gateway.url)
        seat.sees("Master key of")
        assert MASTER_KEY not in seat.arguments
        seat.types(MASTER_KEY)
        seat.sees("Signed in")
        seat.sees("Answer")
        assert seat.ends() == 0
        assert MASTER_KEY not in seat.screen
        (key,) = KEY_LINE.findall(seat.screen)
        assert seat.screen.count(key) == 1


def test_ctrl_c_at_a_question_leaves_nothing(bursar: Command) -> None:
    with Seat(bursar, "init", environ={"BURSAR_PORT": str(free_port())}) as seat:
        seat.sees("Choose")
        seat.presses(CTRL_C)
        assert seat.ends() == 130
    assert not (bursar.home / ".config").exists()


@pytest.fixture
def alone(bursar: Command) -> Iterator[Command]:
    """A machine on which no gateway runs yet; what was started there is ended."""
    try:
        dynoxide = engines.dynoxide_binary().parent
    except engines.EngineAbsentError as reason:
        pytest.skip(f"no dynoxide: {reason}")
    data = bursar.home / "data"
    bursar.environ |= {
        "BURSAR_PORT": str(free_port()),
        "BURSAR_DATA_DIR": str(data),
        "PATH": f"{dynoxide}:{TOOLS}",
    }
    yield bursar
    started = bursar.home / "started"
    if started.exists():
        process_id = int(started.read_text())
        os.kill(process_id, signal.SIGTERM)
        assert until(lambda: not _is_running(process_id))


def _is_running(process_id: int) -> bool:
    # It is nobody's child here: a container without an init keeps its remains for ever.
    if not exists(process_id):
        return False
    with open(f"/proc/{process_id}/stat", encoding="utf-8") as file:  # noqa: PTH123
        return file.read().rpartition(")")[2].split()[0] != "Z"


def test_a_gateway_is_started_here_found_again_and_asked(alone: Command) -> None:
    ended = alone.run("init", "--local", "--user", "ada", "--yes")
    for found in STARTED.findall(ended.said):
        (alone.home / "started").write_text(found)
    assert ended.exit_code == 0, ended.said
    (key,) = KEY_LINE.findall(ended.data)
    assert "mock:hello" in ended.said
    data = alone.home / "data"
    assert stat.S_IMODE((data / "server.log").stat().st_mode) == 0o600
    assert key not in (data / "server.log").read_text()

    again = alone.run("init", "--user", "ada", "--yes")
    assert again.exit_code == 0, again.said
    assert "is running" in again.said
    assert not STARTED.findall(again.said)
    assert alone.json("status")["status"] == "healthy"
