"""A stack's logs by command, on an AWS of moto's; the local gateway's are where it writes them."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import boto3
import httpx2
import pytest
from moto.server import ThreadedMotoServer

from tests.e2e.command import PROGRAM, Command
from tests.e2e.gateway_process import until
from tests.e2e.terminal import on_a_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "eu-central-1"
STACK = "bursar-logs-test"
GROUPS = ("ProxyLogGroup", "AdminLogGroup", "BudgetResetLogGroup")
TEMPLATE = {
    "Resources": {name: {"Type": "AWS::Logs::LogGroup"} for name in GROUPS},
    "Outputs": {"AdminFunctionName": {"Value": "an-admin-function"}},
}
IDENTITY = {
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": REGION,
}


class Cloud:
    """An AWS with one stack."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client("cloudformation").create_stack(
            StackName=STACK, TemplateBody=json.dumps(TEMPLATE)
        )
        self._logs = self.client("logs")
        self._groups = {name: self._group(name) for name in GROUPS}

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="AKID",
            aws_secret_access_key="secret",
        )

    def _group(self, name: str) -> str:
        found = self.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=name
        )
        group: str = found["StackResourceDetail"]["PhysicalResourceId"]
        self._logs.create_log_stream(logGroupName=group, logStreamName="one")
        return group

    def write(self, group: str, *lines: object, age_s: float = 0) -> None:
        now_ms = int((time.time() - age_s) * 1000)
        events = [
            {
                "timestamp": now_ms + number,
                "message": line if isinstance(line, str) else json.dumps(line),
            }
            for number, line in enumerate(lines)
        ]
        self._logs.put_log_events(
            logGroupName=self._groups[group], logStreamName="one", logEvents=events
        )


def line(level: str, message: str, **fields: object) -> dict[str, object]:
    return {"timestamp": "2026-11-25T12:00:00.000Z", "level": level, "message": message, **fields}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # What moto knows outlives its servers, as long as the process does.
    httpx2.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
    made = Cloud(f"http://{host}:{port}")
    made.write(
        "ProxyLogGroup",
        line("INFO", "a request", request_id="r-1"),
        line("WARNING", "a provider was slow", request_id="r-1", provider="openai"),
        {"_aws": {"Timestamp": 1}, "Requests": 1},
        age_s=60,
    )
    made.write(
        "AdminLogGroup",
        line("ERROR", "it failed", request_id="r-2", exception="Traceback\n  a line\nZeroDivision"),
        "Process exited before completing \x1b[31mrequest",
        age_s=50,
    )
    made.write("AdminLogGroup", line("ERROR", "long ago"), age_s=3_000)
    made.write("BudgetResetLogGroup", line("DEBUG", "a detail"), age_s=40)
    yield made
    server.stop()


@pytest.fixture
def bursar(cloud: Cloud, tmp_path: Path) -> Command:
    environ = {
        "BURSAR_STACK": STACK,
        "BURSAR_MASTER_KEY": "",
        "AWS_ENDPOINT_URL": cloud.url,
        **IDENTITY,
    }
    return Command(tmp_path / "home", None, environ)


def messages(bursar: Command, *words: str) -> list[str]:
    ended = bursar.run("logs", "tail", *words, "-o", "jsonl")
    assert ended.exit_code == 0, ended.said
    return [each["message"] for each in ended.lines]


def test_the_logs_of_all_functions_are_one_by_time(bursar: Command) -> None:
    assert messages(bursar) == [
        "a request",
        "a provider was slow",
        "it failed",
        "Process exited before completing \x1b[31mrequest",
    ]


def test_they_can_be_narrowed_by_function_level_time_and_request(bursar: Command) -> None:
    assert messages(bursar, "--function", "proxy") == ["a request", "a provider was slow"]
    assert messages(bursar, "--function", "proxy", "--level", "warning") == ["a provider was slow"]
    assert messages(bursar, "--request", "r-2") == ["it failed"]
    assert messages(bursar, "--level", "error", "--since", "1h")[0] == "long ago"
    assert messages(bursar, "--function", "budget-reset", "--level", "debug") == ["a detail"]
    assert messages(bursar, "--since", "5s") == []


def test_people_read_a_line_an_event_with_its_trace_below(bursar: Command) -> None:
    text = bursar("logs", "tail")

    first, second, third, *trace, last = text.splitlines()
    assert first[13:] == "INFO     proxy         a request  request_id=r-1"
    assert second.endswith("a provider was slow  request_id=r-1  provider=openai")
    assert " ERROR    admin         it failed  request_id=r-2" in third
    assert [each.strip() for each in trace] == ["Traceback", "a line", "ZeroDivision"]
    assert last.endswith("Process exited before completing \\x1b[31mrequest")


def test_a_terminal_has_colours_for_what_is_bad(bursar: Command) -> None:
    shown = on_a_terminal(bursar, "logs", "tail", "--level", "error", "--function", "admin")
    plain = on_a_terminal(bursar, "logs", "tail", environ={"NO_COLOR": "1"})

    assert "\x1b[31mERROR" in shown.data
    assert "\x1b" not in plain.data


def test_following_shows_what_comes_once_and_ends_by_ctrl_c(cloud: Cloud, bursar: Command) -> None:
    words = ("logs", "tail", "--follow", "--function", "budget-reset", "-o", "jsonl")
    with (
        subprocess.Popen(
            [str(PROGRAM), *words],
            env=bursar.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
        ExitStack() as stack,
    ):
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stderr is not None
        heard: list[bytes] = []
        reader = threading.Thread(target=lambda: heard.extend(process.stdout or ()), daemon=True)
        reader.start()
        cloud.write("BudgetResetLogGroup", line("INFO", "first"))
        assert until(lambda: len(heard) == 1)
        cloud.write("BudgetResetLogGroup", line("INFO", "second"))
        assert until(lambda: len(heard) == 2)
        time.sleep(2.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        reader.join(20)
        assert b"Traceback" not in process.stderr.read()
    assert [json.loads(each)["message"] for each in heard] == ["first", "second"]


def test_what_cannot_be_followed_or_asked_is_wrong_usage(bursar: Command) -> None:
    assert bursar.run("logs", "tail", "--follow", "-o", "json").exit_code == 2
    assert bursar.run("logs", "tail", "--request", '" || $.level = "DEBUG').exit_code == 2


def test_a_local_gateways_logs_are_where_it_writes_them(tmp_path: Path) -> None:
    local = Command(tmp_path / "home", "http://127.0.0.1:8000")

    ended = local.run("logs", "tail")

    assert ended.exit_code == 2
    assert "standard error" in ended.said
    assert "--stack" in ended.said
