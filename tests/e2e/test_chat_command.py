"""Trying models by command: streamed, in every dialect, by a key that is not left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from contextlib import ExitStack
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.command import PROGRAM, Command
from tests.e2e.deployment import MODEL
from tests.e2e.gateway_process import until
from tests.e2e.seat import CTRL_C, CTRL_D, Seat
from tests.fakes.openai_behaviour import Behaviour

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.deployment import Deployment, Holder


@pytest.fixture
def bursar(served: Deployment, tmp_path: Path) -> Command:
    return Command(tmp_path / "home", served.gateway.url, {"BURSAR_KEYRING": "off"})


@pytest.fixture
def holder(served: Deployment) -> Holder:
    return served.holder("5")


def _paced(served: Deployment, pace_s: float) -> str:
    """A model that takes its time between its words."""
    name = f"paced-{uuid.uuid4().hex[:8]}"
    served.upstream.behaviours[name] = Behaviour(pace_s=pace_s, completion_tokens=40)
    return served.model("openai", name)


def _keys(served: Deployment, holder: Holder) -> list[str]:
    listed = served.gateway.admin("GET", "/v1/keys?limit=1000")
    return [key["id"] for key in listed if key["user_id"] == holder.user_id]


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses"])
def test_a_streamed_answer_is_data_and_its_cost_is_said(
    served: Deployment, bursar: Command, holder: Holder, dialect: str
) -> None:
    ended = bursar.run(
        *("chat", MODEL, "Say", "something", "--dialect", dialect, "--max-tokens", "20"),
        environ={"BURSAR_API_KEY": holder.key},
    )
    assert ended.exit_code == 0, ended.said
    (record,) = served.usage(holder)
    assert ended.data.strip()
    assert record["streamed"] is True
    assert f"${Decimal(str(record['cost'])):f}" in ended.said
    assert f"{record['prompt_tokens']} tokens in, {record['completion_tokens']} out" in ended.said
    assert "first token" in ended.said
    assert f"request {record['id']}" in ended.said


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses"])
def test_json_is_one_whole_answer_with_its_exact_cost(
    served: Deployment, bursar: Command, holder: Holder, dialect: str
) -> None:
    words = ("chat", MODEL, "-", "--system", "Be brief.", "--dialect", dialect, "-o", "json")
    ended = bursar.run(*words, stdin="hello", environ={"BURSAR_API_KEY": holder.key})
    found = ended.json
    (record,) = served.usage(holder)
    assert found["answer"]
    assert (found["request_id"], found["cost_is_estimate"]) == (record["id"], False)
    assert Decimal(str(found["cost"])) == Decimal(str(record["cost"]))
    assert "Be brief." in str(served.upstream.last.json())


def test_without_the_master_key_the_cost_is_reckoned_from_the_price(
    bursar: Command, holder: Holder
) -> None:
    only_a_key = {"BURSAR_MASTER_KEY": "", "BURSAR_API_KEY": holder.key}
    ended = bursar.run("chat", MODEL, "hello", environ=only_a_key)
    assert ended.exit_code == 0, ended.said
    assert "about $" in ended.said


def test_a_key_made_for_it_can_use_that_model_alone_and_is_deleted(
    served: Deployment, bursar: Command, holder: Holder
) -> None:
    before = _keys(served, holder)
    ended = bursar.run("chat", MODEL, "hello", "--user", holder.user_id)
    assert ended.exit_code == 0, ended.said
    assert "Deleted that key" in ended.said
    assert _keys(served, holder) == before
    assert [record["user_id"] for record in served.usage(holder)] == [holder.user_id]


def test_a_refusal_leaves_no_key_behind_either(
    served: Deployment, bursar: Command, holder: Holder
) -> None:
    ended = bursar.run("chat", "nowhere:model", "hello", "--user", holder.user_id)
    assert ended.exit_code == 3
    assert _keys(served, holder) == [holder.key_id]


def test_a_user_of_that_name_is_not_made_by_mistake(served: Deployment, bursar: Command) -> None:
    name = f"typo-{uuid.uuid4().hex[:8]}"
    assert bursar.run("chat", MODEL, "hello", "--user", name).exit_code == 3
    users = served.gateway.admin("GET", "/v1/users?limit=1000")
    assert name not in [user["user_id"] for user in users]


def test_without_any_key_it_says_what_to_do(bursar: Command) -> None:
    ended = bursar.run("chat", MODEL, "hello")
    assert ended.exit_code == 4
    assert "BURSAR_API_KEY" in ended.said
    assert "--user" in ended.said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_an_answer_deletes_the_key_and_ends_with_its_code(
    served: Deployment, bursar: Command, holder: Holder, how: signal.Signals
) -> None:
    model = _paced(served, 0.2)
    with (
        subprocess.Popen(
            [str(PROGRAM), "chat", model, "hello", "--user", holder.user_id],
            env=bursar.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
        ExitStack() as stack,
    ):
        stack.callback(process.kill)
        assert process.stdout is not None
        assert os.read(process.stdout.fileno(), 1)  # it has begun to answer
        process.send_signal(how)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + how, said
    assert b"Traceback" not in said
    assert _keys(served, holder) == [holder.key_id]


def test_words_are_shown_as_they_come(served: Deployment, bursar: Command, holder: Holder) -> None:
    model = _paced(served, 0.3)
    with Seat(bursar, "chat", model, "hello", environ={"BURSAR_API_KEY": holder.key}) as seat:
        assert until(seat.sees_anything)
        assert "first token" not in seat.screen
        assert holder.key not in seat.arguments
        seat.presses(CTRL_C)
        assert seat.ends() == 130
        assert "stopped" in seat.screen


def test_a_conversation_remembers_goes_on_after_ctrl_c_and_ends_with_ctrl_d(
    served: Deployment, bursar: Command, holder: Holder
) -> None:
    with Seat(bursar, "chat", MODEL, environ={"BURSAR_API_KEY": holder.key}) as seat:
        seat.sees("> ")
        seat.types("My name is Ada.")
        seat.sees("first token")
        seat.sees("> ")
        seat.types("What is my name?")
        seat.sees("first token")
        turns = served.upstream.last.json()["messages"]
        assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
        assert turns[0]["content"] == "My name is Ada."
        seat.sees("> ")
        seat.presses(CTRL_D)
        assert seat.ends() == 0


def test_a_stopped_answer_ends_the_answer_and_not_the_conversation(
    served: Deployment, bursar: Command, holder: Holder
) -> None:
    model = _paced(served, 0.3)
    with Seat(bursar, "chat", model, environ={"BURSAR_API_KEY": holder.key}) as seat:
        seat.sees("> ")
        seat.types("Go on for long")
        seat.sees("\n")
        shown = len(seat.screen)
        assert until(lambda: seat.sees_anything(shown))
        seat.presses(CTRL_C)
        seat.sees("stopped")
        seat.sees("> ")
        seat.presses(CTRL_D)
        assert seat.ends() == 0


def test_a_model_cannot_drive_the_terminal(bursar: Command) -> None:
    from bursar.cli.chat import _CONTROLS  # noqa: PLC0415 (the one place that knows)

    assert "a\x1b]0;title\x07\x9bb\n\tc".translate(_CONTROLS) == "a]0;titleb\n\tc"
