"""Which engine a local run gets, and what becomes of it and of its data."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import psutil
import pytest

from bursar.domain.errors import StoreUnavailable, WrongSetting
from bursar.store.schema import TABLE
from functions.server.answering import answers, wait_until_it_answers
from functions.server.engine import Engine, open_engine
from tests import engines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}

GATEWAY = """
import os, pathlib, sys, time
from functions.server.engine import open_engine
engine = open_engine(pathlib.Path(sys.argv[1]), os.environ)
print(engine.endpoint, flush=True)
sys.stdin.read()
engine.stop()
"""


@pytest.fixture
def with_dynoxide() -> dict[str, str]:
    """An environment whose PATH has a dynoxide and no endpoint is set."""
    try:
        binary = engines.dynoxide_binary()
    except engines.EngineAbsentError as reason:
        pytest.skip(f"no dynoxide: {reason}")
    rest = {name: value for name, value in os.environ.items() if name != "DYNAMODB_ENDPOINT"}
    return {**rest, "PATH": f"{binary.parent}{os.pathsep}{os.environ['PATH']}"}


@contextlib.contextmanager
def gateway(data_dir: Path, environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Another process that opens the engine of a data directory."""
    with subprocess.Popen(
        [sys.executable, "-c", GATEWAY, str(data_dir)],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=engines.ROOT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def other_gateway(tmp_path: Path, with_dynoxide: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with gateway(tmp_path, with_dynoxide) as process:
        yield process


def endpoint_of(gateway: subprocess.Popen[str]) -> str:
    assert gateway.stdout is not None
    return gateway.stdout.readline().strip()


def client_of(engine: Engine) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=engine.endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def recorded(data_dir: Path) -> dict[str, int]:
    record: dict[str, int] = json.loads((data_dir / "engine.json").read_text())
    return record


def engine_process(data_dir: Path) -> psutil.Process:
    return psutil.Process(recorded(data_dir)["pid"])


def test_an_endpoint_that_is_set_is_used_and_left_running(dynoxide: str, tmp_path: Path) -> None:
    engine = open_engine(tmp_path, {"DYNAMODB_ENDPOINT": dynoxide, "PATH": ""})
    engine.stop()

    assert (engine.endpoint, engine.name, engine.notice) == (dynoxide, "external", None)
    assert answers(dynoxide)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("endpoint", ["localhost:8000", "dynamodb", "http://", "ftp://a:1"])
def test_an_endpoint_that_is_no_url_stops_the_start_with_its_name(
    endpoint: str, tmp_path: Path
) -> None:
    with pytest.raises(WrongSetting, match="DYNAMODB_ENDPOINT is not a URL"):
        open_engine(tmp_path, {"DYNAMODB_ENDPOINT": endpoint})


def test_what_is_written_survives_a_stop_and_a_start(
    tmp_path: Path, with_dynoxide: dict[str, str]
) -> None:
    first = open_engine(tmp_path, with_dynoxide)
    client_of(first).create_table(TableName="kept", **TABLE)
    client_of(first).put_item(TableName="kept", Item=KEY)
    first.stop()
    assert not answers(first.endpoint)

    second = open_engine(tmp_path, with_dynoxide)
    try:
        assert second.durable
        assert second.notice is None
        assert client_of(second).get_item(TableName="kept", Key=KEY)["Item"] == KEY
    finally:
        second.stop()


def test_the_engine_listens_on_loopback_only_and_gets_no_secret(
    tmp_path: Path, with_dynoxide: dict[str, str]
) -> None:
    engine = open_engine(tmp_path, {**with_dynoxide, "BURSAR_MASTER_KEY": "canary-in-a-cage"})
    try:
        process = engine_process(tmp_path)
        sockets = process.net_connections(kind="tcp")
        assert {it.laddr.ip for it in sockets if it.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
        assert "canary-in-a-cage" not in repr((process.environ(), process.cmdline()))
    finally:
        engine.stop()


def test_the_engine_is_out_of_reach_of_the_terminals_ctrl_c(
    tmp_path: Path, with_dynoxide: dict[str, str]
) -> None:
    engine = open_engine(tmp_path, with_dynoxide)
    try:
        pid = recorded(tmp_path)["pid"]
        assert os.getsid(pid) == pid != os.getsid(0)
    finally:
        engine.stop()


def test_the_engine_of_a_gateway_that_was_killed_is_found_and_used(
    tmp_path: Path, with_dynoxide: dict[str, str], other_gateway: subprocess.Popen[str]
) -> None:
    orphan_endpoint = endpoint_of(other_gateway)
    other_gateway.send_signal(signal.SIGKILL)
    other_gateway.wait()
    assert answers(orphan_endpoint)

    engine = open_engine(tmp_path, with_dynoxide)
    assert engine.endpoint == orphan_endpoint
    engine.stop()
    assert not answers(orphan_endpoint)


def test_an_engine_that_was_killed_is_replaced_and_its_data_is_there(
    tmp_path: Path, with_dynoxide: dict[str, str]
) -> None:
    first = open_engine(tmp_path, with_dynoxide)
    client_of(first).create_table(TableName="kept", **TABLE)
    client_of(first).put_item(TableName="kept", Item=KEY)
    os.kill(recorded(tmp_path)["pid"], signal.SIGKILL)

    second = open_engine(tmp_path, with_dynoxide)
    try:
        assert client_of(second).get_item(TableName="kept", Key=KEY)["Item"] == KEY
    finally:
        first.stop()
        second.stop()


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"pid": "x", "port": 1}'])
def test_a_record_that_makes_no_sense_is_ignored(
    record: str, tmp_path: Path, with_dynoxide: dict[str, str]
) -> None:
    (tmp_path / "engine.json").write_text(record)
    open_engine(tmp_path, with_dynoxide).stop()


def test_a_record_that_names_somebody_elses_process_is_ignored(
    dynoxide: str, tmp_path: Path, with_dynoxide: dict[str, str]
) -> None:
    port = int(dynoxide.rpartition(":")[2])
    with (
        subprocess.Popen(["sleep", "600"]) as somebody_elses,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(somebody_elses.kill)
        record = {"pid": somebody_elses.pid, "port": port}
        (tmp_path / "engine.json").write_text(json.dumps(record))

        engine = open_engine(tmp_path, with_dynoxide)
        engine.stop()

        assert engine.endpoint != dynoxide
        assert somebody_elses.poll() is None


def test_two_gateways_share_an_engine_and_the_last_one_ends_it(
    tmp_path: Path, with_dynoxide: dict[str, str], other_gateway: subprocess.Popen[str]
) -> None:
    engine = open_engine(tmp_path, with_dynoxide)
    shared = endpoint_of(other_gateway)
    assert shared == engine.endpoint

    other_gateway.communicate()
    assert answers(shared)

    engine.stop()
    assert not answers(shared)


def test_without_dynoxide_and_npm_data_is_in_memory_and_one_line_says_so(
    tmp_path: Path, a_machine_without_dynoxide: dict[str, str]
) -> None:
    engine = open_engine(tmp_path, a_machine_without_dynoxide)
    try:
        assert (engine.name, engine.durable) == ("moto", False)
        assert engine.notice is not None
        assert engine.notice.startswith("Nothing is kept")
        assert "\n" not in engine.notice
        assert client_of(engine).list_tables()["TableNames"] == []
    finally:
        engine.stop()
    assert not answers(engine.endpoint)


def test_data_of_an_earlier_run_is_never_answered_with_an_empty_engine(
    tmp_path: Path, a_machine_without_dynoxide: dict[str, str]
) -> None:
    (tmp_path / "bursar.db").touch()
    with pytest.raises(StoreUnavailable, match=r"bursar\.db holds an earlier run's data"):
        open_engine(tmp_path, a_machine_without_dynoxide)


def test_gateways_that_start_at_once_start_one_engine(
    tmp_path: Path, with_dynoxide: dict[str, str]
) -> None:
    database = str(tmp_path / "bursar.db")
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(gateway(tmp_path, with_dynoxide)) for _ in range(4)]
        assert len({endpoint_of(it) for it in started}) == 1
        serving = [it.pid for it in psutil.process_iter() if database in _command(it)]
        assert serving == [recorded(tmp_path)["pid"]]
        for it in started:
            it.communicate()
    assert not psutil.pid_exists(serving[0])


def _command(process: psutil.Process) -> list[str]:
    try:
        command: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return command


def test_without_any_engine_the_start_says_how_to_get_one(tmp_path: Path) -> None:
    """Without moto, too, as in the container image: the import of it is made to fail."""
    code = (
        "import pathlib, sys; sys.modules['moto.server'] = None;"
        "from functions.server.engine import open_engine;"
        "open_engine(pathlib.Path(sys.argv[1]), {'PATH': sys.argv[2]})"
    )
    wrong = tmp_path / "dynoxide"
    wrong.touch(mode=0o755)
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "data", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=engines.ROOT,
    )
    assert "put dynoxide on PATH, or set DYNAMODB_ENDPOINT" in result.stderr


def test_a_binary_that_does_not_serve_is_said_to_be_the_reason(tmp_path: Path) -> None:
    broken = tmp_path / "bin" / "dynoxide"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)

    engine = open_engine(tmp_path / "data", {"PATH": str(broken.parent)})
    engine.stop()

    assert engine.notice is not None
    assert f"{broken} does not start" in engine.notice


def test_waiting_for_an_answer_ends_when_its_server_has_ended() -> None:
    assert not wait_until_it_answers("http://127.0.0.1:9", 60, is_alive=lambda: False)


@pytest.fixture
def a_machine_without_dynoxide(tmp_path: Path) -> dict[str, str]:
    """An environment where dynoxide is on PATH as a file that is for another machine."""
    wrong = tmp_path / "wrong" / "dynoxide"
    wrong.parent.mkdir()
    wrong.write_bytes(b"\x7fELF of another kind")
    wrong.chmod(0o755)
    return {"PATH": str(wrong.parent)}
