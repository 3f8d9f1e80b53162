"""One command on one machine: from nothing to a first answer, through stops, kills and mistakes."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests import engines
from tests.e2e.gateway_process import TOOLS, GatewayProcess, exists, running, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.openai_upstream import FakeOpenAI

MASTER_LINE = re.compile(r"^master key +(\S+)$", re.MULTILINE)
VIRTUAL_LINE = re.compile(r"^virtual key +(gw-\S{64})$", re.MULTILINE)
CURL_LINE = re.compile(r"^curl .*$", re.MULTILINE)


@pytest.fixture(scope="module")
def path() -> str:
    """A PATH with a dynoxide, so that no start fetches one."""
    try:
        return f"{engines.dynoxide_binary().parent}:{TOOLS}"
    except engines.EngineAbsentError as reason:
        pytest.skip(f"no dynoxide: {reason}")


@pytest.fixture
def machine(tmp_path: Path, path: str) -> Iterator[GatewayProcess]:
    """A machine with nothing set but a port, and nothing left running afterwards."""
    gateway = GatewayProcess(tmp_path, {"PATH": path})
    yield gateway
    if gateway.is_running:
        gateway.kill()
    with contextlib.suppress(OSError):
        os.kill(_engine_pid(gateway), signal.SIGKILL)


def _data(gateway: GatewayProcess) -> Path:
    return Path(gateway.environ["BURSAR_DATA_DIR"])


def _engine_pid(gateway: GatewayProcess) -> int:
    record = json.loads((_data(gateway) / "engine.json").read_text())
    pid: int = record["pid"]
    return pid


def _keys(gateway: GatewayProcess) -> tuple[str, str]:
    """The master key and the virtual key of the newest greeting."""
    assert until(lambda: "With an OpenAI SDK" in gateway.stdout)
    master, virtual = (line.findall(gateway.stdout)[-1] for line in (MASTER_LINE, VIRTUAL_LINE))
    return master, virtual


def _paste(gateway: GatewayProcess) -> Any:
    """Run the newest greeting's curl line in a shell, or read it where there is no curl."""
    line = CURL_LINE.findall(gateway.stdout)[-1]
    if shutil.which("curl"):
        shell = ["/bin/sh", "-c", line]
        return json.loads(subprocess.run(shell, capture_output=True, check=True).stdout)
    _, url, *options = shlex.split(line)
    headers = [value for flag, value in itertools.pairwise(options) if flag == "-H"]
    named = dict(header.split(": ", 1) for header in headers)
    return httpx2.post(url, content=options[-1], headers=named, timeout=30).json()


def _users(gateway: GatewayProcess, master_key: str) -> list[dict[str, Any]]:
    answer = httpx2.get(
        f"{gateway.url}/v1/users",
        headers={"authorization": f"Bearer {master_key}"},
        timeout=30,
    )
    users: list[dict[str, Any]] = answer.json()
    return users


def test_a_first_start_prints_keys_and_a_curl_line_that_works_as_pasted(
    machine: GatewayProcess,
) -> None:
    machine.start()
    master, virtual = _keys(machine)
    assert machine.url in machine.stdout
    answer = _paste(machine)
    assert answer["choices"][0]["message"]["content"]
    assert answer["model"] == "hello"
    assert [user["spend"] > 0 for user in _users(machine, master)] == [True]
    kept = _data(machine) / "credentials.json"
    assert json.loads(kept.read_text()) == {"master_key": master, "virtual_key": virtual}
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert machine.stop(signal.SIGINT) == 0


def test_a_second_start_keeps_keys_and_data(machine: GatewayProcess) -> None:
    machine.start()
    keys = _keys(machine)
    _paste(machine)
    before = _users(machine, keys[0])
    machine.stop()
    machine.start()
    assert machine.stdout.count("Bursar is ready") == 2
    assert _keys(machine) == keys
    assert _users(machine, keys[0]) == before
    assert _paste(machine)["choices"]
    machine.stop()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_gateway_and_its_engine_without_a_traceback(
    machine: GatewayProcess, how: signal.Signals
) -> None:
    machine.start()
    engine = _engine_pid(machine)
    assert exists(engine)
    assert machine.stop(how) == 0
    assert until(lambda: not exists(engine))
    assert "Traceback" not in machine.stderr
    assert not (_data(machine) / "engine.json").exists()


def test_ctrl_c_at_a_terminal_reaches_the_gateway_and_ends_all_of_it(
    machine: GatewayProcess,
) -> None:
    """The terminal signals the whole foreground group, of which the engine must not be."""
    machine.start()
    engine = _engine_pid(machine)
    assert os.getpgid(engine) != os.getpgid(machine.process.pid)
    os.killpg(machine.process.pid, signal.SIGINT)
    assert machine.stop() == 0
    assert until(lambda: not exists(engine))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_start_leaves_nothing_behind(
    machine: GatewayProcess, how: signal.Signals
) -> None:
    machine.launch()
    assert until((_data(machine) / "engine.log").exists, pause_s=0.001)
    machine.stop(how)
    assert "Traceback" not in machine.stderr
    assert until(lambda: not _processes_on(_data(machine)))


def _processes_on(data_dir: Path) -> list[int]:
    """Processes whose command names a directory."""
    return [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and str(data_dir) in _command(folder)
    ]


def _command(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def test_after_a_kill_the_next_start_has_the_same_keys_and_data(machine: GatewayProcess) -> None:
    machine.start()
    keys = _keys(machine)
    _paste(machine)
    before = _users(machine, keys[0])
    machine.kill()
    machine.start()
    assert _keys(machine) == keys
    assert _users(machine, keys[0]) == before
    assert _paste(machine)["choices"]
    assert machine.stop() == 0
    assert until(lambda: not _processes_on(_data(machine)))


def test_after_a_kill_of_the_engine_too_nothing_that_was_written_is_lost(
    machine: GatewayProcess,
) -> None:
    machine.start()
    keys = _keys(machine)
    _paste(machine)
    before = _users(machine, keys[0])
    machine.kill()
    os.kill(_engine_pid(machine), signal.SIGKILL)
    machine.start()
    assert _keys(machine) == keys
    assert _users(machine, keys[0]) == before
    machine.stop()


def test_a_providers_key_in_the_environment_is_enough_for_the_real_one(
    machine: GatewayProcess, upstream: FakeOpenAI
) -> None:
    """`OPENAI_API_KEY` alone would call OpenAI, so the base URL is the environment's, too."""
    machine.environ |= {"OPENAI_API_KEY": "sk-env", "OPENAI_BASE_URL": upstream.base_url}
    with running(machine):
        _keys(machine)
        assert "providers: openai" in machine.stdout
        assert _paste(machine)["choices"]
    assert upstream.last.headers["authorization"] == "Bearer sk-env"


SEED_CONFIG = """
database_url: "postgresql://gateway:gateway@postgres:5432/gateway"
auto_migrate: true
host: "127.0.0.1"
master_key: "${MASTER_KEY_OF_THE_SEED}"
rate_limit_rpm: 60
cors_allow_origins: ["https://app.example"]
enable_metrics: false
bootstrap_api_key: true
providers:
  openai:
    api_key: "${OPENAI_KEY_OF_THE_SEED}"
    api_base: "${BASE}"
    client_args:
      custom_headers: {X-Team: "red"}
      timeout: 30
  anthropic:
    api_key: "sk-ant-none"
pricing:
  openai:gpt-4o-mini:
    input_price_per_million: 0.15
    output_price_per_million: 0.6
"""


def test_the_seeds_own_configuration_starts_unchanged(
    machine: GatewayProcess, upstream: FakeOpenAI, tmp_path: Path
) -> None:
    config = tmp_path / "config.yml"
    config.write_text(SEED_CONFIG)
    machine.environ |= {
        "BURSAR_CONFIG": str(config),
        "MASTER_KEY_OF_THE_SEED": "the-seeds-master",
        "OPENAI_KEY_OF_THE_SEED": "sk-of-the-seed",
        "BASE": upstream.base_url,
    }
    with running(machine):
        assert until(lambda: "With an OpenAI SDK" in machine.stdout)
        assert "the-seeds-master" not in machine.stdout
        assert "anthropic" in machine.stdout
        answer = _paste(machine)
        assert answer["model"] == "gpt-4o-mini"
        assert _users(machine, "the-seeds-master")
    assert upstream.last.headers["authorization"] == "Bearer sk-of-the-seed"
    assert upstream.last.headers["x-team"] == "red"


MISTAKES: Mapping[str, tuple[dict[str, str], str | None, list[str]]] = {
    "unknown variable": ({"BURSAR_PROT": "1"}, None, ["BURSAR_PROT", "BURSAR_PORT"]),
    "port": ({"BURSAR_PORT": "abc"}, None, ["BURSAR_PORT", "must be a number", "abc"]),
    "no file": ({"BURSAR_CONFIG": "/no/such.yml"}, None, ["BURSAR_CONFIG", "/no/such.yml"]),
    "unset variable": ({}, "master_key: ${NOT_SET}", ["master_key", "NOT_SET", "export"]),
    "provider": ({}, "providers: {opnai: {api_key: x}}", ["providers.opnai", "openai"]),
    "data directory": ({"BURSAR_DATA_DIR": "/dev/null/x"}, None, ["BURSAR_DATA_DIR"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_setting_stops_the_start_with_its_name_and_the_fix(
    machine: GatewayProcess, tmp_path: Path, mistake: str
) -> None:
    environ, file, says = MISTAKES[mistake]
    if file is not None:
        config = tmp_path / "config.yml"
        config.write_text(file)
        environ = {**environ, "BURSAR_CONFIG": str(config)}
    machine.environ |= environ
    assert machine.run_to_its_end() == 1
    assert "Traceback" not in machine.stderr
    (line,) = machine.stderr.splitlines()
    assert [word for word in says if word not in line] == []
    assert machine.stdout == ""
    assert _processes_on(tmp_path) == []


def test_a_port_in_use_stops_the_start_and_says_so(machine: GatewayProcess) -> None:
    with socket.create_server(("127.0.0.1", machine.port)):
        assert machine.run_to_its_end() == 1
    (line,) = machine.stderr.splitlines()
    assert "BURSAR_PORT" in line
    assert str(machine.port) in line
    assert _processes_on(machine.folder) == []
