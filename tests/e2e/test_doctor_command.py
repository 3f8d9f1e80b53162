"""`bursar doctor` on a healthy gateway, and on gateways that are broken on purpose."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import boto3
import httpx2
import pytest

from tests.e2e.command import PROGRAM, Command
from tests.e2e.gateway_process import MASTER_KEY, GatewayProcess, running, until
from tests.e2e.terminal import on_a_terminal
from tests.fakes.certificates import certificate_for_loopback
from tests.fakes.http_server import HttpServer
from tests.fakes.spoiling_proxy import Passing, Spoil, SpoilingProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.command import Ended
    from tests.e2e.deployment import Deployment
    from tests.fakes.http_server import Exchange

TABLE = "doctor-command"
PLANTED = "sk-proj-" + "q7Xw2mZk9Rt4Vb6N" * 2
NEEDS_A_STACK = {"permissions", "protection"}


@pytest.fixture(scope="module")
def gateway(dynoxide: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway with nothing but the mock provider; its schedule ran when it started, and rests."""
    with running(_gateway(dynoxide, tmp_path_factory.mktemp("doctor"))) as started:
        yield started


def _gateway(engine: str, folder: Path, **settings: str) -> GatewayProcess:
    environ = {
        "DYNAMODB_ENDPOINT": engine,
        "BURSAR_TABLE": TABLE,
        "BURSAR_MASTER_KEY": MASTER_KEY,
        "BURSAR_BOOTSTRAP_API_KEY": "false",
        "BURSAR_SWEEP_INTERVAL_S": "3600",
        "BURSAR_ALLOW_PRIVATE_UPSTREAMS": "",
        **settings,
    }
    return GatewayProcess(folder, environ)


@pytest.fixture
def doctor(gateway: GatewayProcess, tmp_path: Path) -> Command:
    return Command(tmp_path / "home", gateway.url)


@pytest.fixture
def engine(dynoxide: str) -> Iterator[Any]:
    """The engine, past the gateway."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=dynoxide,
        region_name="us-east-1",
        aws_access_key_id="planter",
        aws_secret_access_key="planter",
    )
    yield client
    client.close()


def _spoiled(gateway: GatewayProcess, tmp_path: Path, spoil: Spoil, *checks: str) -> list[Any]:
    """The verdicts of a run through something that spoils answers."""
    with SpoilingProxy(gateway.url, spoil) as proxy:
        command = Command(tmp_path / "spoiled", proxy.url)
        return _failed(command.run("doctor", "-o", "jsonl", *_only(checks)))


def _only(checks: tuple[str, ...]) -> list[str]:
    return [word for check in checks for word in ("--only", check)]


def _failed(ended: Ended) -> list[Any]:
    """The verdicts of a run in which each check failed, each with a remedy."""
    assert ended.exit_code == 6, ended.data + ended.said
    assert {one["outcome"] for one in ended.lines} == {"failed"}, ended.data
    assert all(one["remedy"] for one in ended.lines)
    return ended.lines


def _left(gateway: GatewayProcess) -> list[str]:
    """What of a run is still there."""
    users = [user["user_id"] for user in gateway.admin("GET", "/v1/users?limit=1000")]
    keys = [key["key_name"] for key in gateway.admin("GET", "/v1/keys?limit=1000")]
    prices = [price["model_key"] for price in gateway.admin("GET", "/v1/pricing?limit=1000")]
    budgets = gateway.admin("GET", "/v1/budgets?limit=1000")
    names = [name for name in (*users, *keys, *prices) if "doctor-" in str(name)]
    return [*names, *(budget["budget_id"] for budget in budgets)]


def test_a_healthy_gateway_passes_every_check_and_nothing_stays(
    doctor: Command, gateway: GatewayProcess, dynoxide: str
) -> None:
    ended = doctor.run("doctor", "-o", "json", "--table", TABLE, "--endpoint", dynoxide)
    verdicts = {one["name"]: one["outcome"] for one in ended.json}
    skipped = {name for name, outcome in verdicts.items() if outcome == "skipped"}
    assert ended.exit_code == 0, ended.data
    assert skipped == NEEDS_A_STACK | {"charges"}
    assert set(verdicts.values()) == {"passed", "skipped"}
    race = next(one for one in ended.json if one["name"] == "race")
    assert "5 of 40 calls were served, and 35 refused" in race["seen"]
    assert _left(gateway) == []


def test_it_says_beforehand_what_it_makes_and_what_that_costs(doctor: Command) -> None:
    ended = doctor.run("doctor", "--only", "stream")
    said = ended.said.splitlines()
    assert "removed at the end: users doctor-" in said[1]
    assert "costs nothing" in said[2]
    assert ended.data.startswith("PASSED  stream ")


def test_on_a_terminal_verdicts_are_signs_and_without_colours_words(doctor: Command) -> None:
    checks = _only(("settings", "permissions"))
    drawn = on_a_terminal(doctor, "doctor", *checks)
    plain = on_a_terminal(doctor, "doctor", *checks, environ={"NO_COLOR": "1"})
    assert [line[:2] for line in drawn.plain_data.splitlines()] == ["– ", "  ", "✓ "]  # noqa: RUF001
    assert "\x1b[" in drawn.data
    assert plain.data == plain.plain_data
    assert plain.data.startswith("SKIPPED permissions")


def test_without_a_call_nothing_is_made(doctor: Command) -> None:
    ended = doctor.run("doctor", "--only", "settings")
    assert "Nothing is made there" in ended.said
    assert ended.said.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


def test_the_list_of_checks_needs_no_gateway(tmp_path: Path) -> None:
    nowhere = Command(tmp_path / "nowhere", None, {"BURSAR_MASTER_KEY": ""})
    listed = nowhere.json("doctor", "--list", "--skip", "race")
    assert "race" not in {one["name"] for one in listed}
    assert all(one["proves"] for one in listed)


def test_a_check_that_is_not_there_is_wrong_usage(doctor: Command) -> None:
    assert doctor.run("doctor", "--only", "rave").exit_code == 2
    assert doctor.run("doctor", "--only", "race", "--skip", "race").exit_code == 2


def test_a_gateway_that_is_not_there_fails(tmp_path: Path) -> None:
    nobody = Command(tmp_path / "nobody", "http://127.0.0.1:9")
    _failed(nobody.run("doctor", "-o", "jsonl", *_only(("reachable", "clock", "race", "prices"))))


def test_another_version_fails(gateway: GatewayProcess, tmp_path: Path) -> None:
    def rewrite(passing: Passing) -> tuple[int, Any] | None:
        is_readiness = passing.path == "/health/readiness"
        return (200, {**passing.body, "version": "9.9.9"}) if is_readiness else None

    (verdict,) = _spoiled(gateway, tmp_path, Spoil(rewrite=rewrite), "reachable")
    assert "9.9.9" in verdict["seen"]


def test_a_gateway_that_is_not_ready_fails(gateway: GatewayProcess, tmp_path: Path) -> None:
    def rewrite(passing: Passing) -> tuple[int, Any] | None:
        is_readiness = passing.path == "/health/readiness"
        return (503, {"detail": "the store is down"}) if is_readiness else None

    (verdict,) = _spoiled(gateway, tmp_path, Spoil(rewrite=rewrite), "reachable")
    assert "not ready" in verdict["seen"]


def test_a_clock_that_is_wrong_fails(gateway: GatewayProcess, tmp_path: Path) -> None:
    date = format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)
    (verdict,) = _spoiled(gateway, tmp_path, Spoil(date=date), "clock")
    assert "s behind this one's" in verdict["seen"]


def test_a_certificate_that_is_about_to_end_fails(tmp_path: Path) -> None:
    server, _ = certificate_for_loopback(tmp_path)

    async def answer(exchange: Exchange) -> None:
        date = format_datetime(datetime.now(UTC), usegmt=True)
        await exchange.answer(200, {"date": date}, b"{}")

    trusting = {"SSL_CERT_FILE": str(tmp_path / "loopback.pem")}
    with HttpServer(answer, tls=server) as front:
        command = Command(tmp_path / "home", front.origin, trusting)
        (verdict,) = _failed(command.run("doctor", "-o", "jsonl", *_only(("clock",))))
    assert verdict["seen"].startswith("The certificate ends at")


def test_an_answer_that_is_not_understood_fails(gateway: GatewayProcess, tmp_path: Path) -> None:
    def rewrite(passing: Passing) -> tuple[int, Any] | None:
        return (200, {"effective": "nonsense"}) if passing.path == "/v1/usage" else None

    (verdict,) = _spoiled(gateway, tmp_path, Spoil(rewrite=rewrite), "charges")
    assert "cannot be understood" in verdict["seen"]


def test_books_that_say_more_is_spent_than_the_limit_fail(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    def rewrite(passing: Passing) -> tuple[int, Any] | None:
        is_account = passing.path.startswith("/v1/users/doctor-") and "spend" in passing.body
        return (200, {**passing.body, "spend": 7}) if is_account else None

    (verdict,) = _spoiled(gateway, tmp_path, Spoil(rewrite=rewrite), "race")
    assert "of a budget of" in verdict["seen"]
    assert _left(gateway) == []


def test_books_that_say_less_is_spent_than_the_records_fail(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    def rewrite(passing: Passing) -> tuple[int, Any] | None:
        is_account = passing.path.startswith("/v1/users/doctor-") and "spend" in passing.body
        return (200, {**passing.body, "spend": 0}) if is_account else None

    (verdict,) = _spoiled(gateway, tmp_path, Spoil(rewrite=rewrite), "race")
    assert "the records add up to" in verdict["seen"]


def test_calls_that_are_served_past_the_budget_fail(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    refusals = iter(range(1_000))

    def rewrite(passing: Passing) -> tuple[int, Any] | None:
        # The first two say what a call costs.
        is_refusal = passing.status == 403 and next(refusals) >= 2
        return (200, {"choices": []}) if is_refusal else None

    (verdict,) = _spoiled(gateway, tmp_path, Spoil(rewrite=rewrite), "race")
    assert "40 calls were served, and the budget affords 5" in verdict["seen"]


def test_a_gateway_without_any_cap_fails(gateway: GatewayProcess, tmp_path: Path) -> None:
    def rewrite(passing: Passing) -> tuple[int, Any] | None:
        return (200, {"choices": []}) if passing.status == 403 else None

    (verdict,) = _spoiled(gateway, tmp_path, Spoil(rewrite=rewrite), "race")
    assert "its budget does not afford" in verdict["seen"]


def test_a_stream_that_is_kept_back_fails(gateway: GatewayProcess, tmp_path: Path) -> None:
    (verdict,) = _spoiled(gateway, tmp_path, Spoil(keeps_streams_back=True), "stream")
    assert "all at once" in verdict["seen"]
    assert "proxy_buffering off" in verdict["remedy"]


def test_somebody_in_between_who_stays_when_callers_leave_fails(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    (verdict,) = _spoiled(gateway, tmp_path, Spoil(stays=True), "disconnect")
    assert "ended as success" in verdict["seen"]


def test_leaving_for_free_fails(gateway: GatewayProcess, tmp_path: Path) -> None:
    def rewrite(passing: Passing) -> tuple[int, Any] | None:
        is_usage = passing.path.startswith("/v1/users/doctor-") and isinstance(passing.body, list)
        return (200, [{**one, "cost": 0} for one in passing.body]) if is_usage else None

    (verdict,) = _spoiled(gateway, tmp_path, Spoil(rewrite=rewrite), "disconnect")
    assert "cost nothing" in verdict["seen"]


def test_a_key_in_the_clear_is_found_and_not_shown(
    doctor: Command, gateway: GatewayProcess, dynoxide: str, engine: Any
) -> None:
    where = ["--table", TABLE, "--endpoint", dynoxide, *_only(("plaintext",))]
    planted = {
        "pk": {"S": "KEY"},
        "sk": {"S": "planted"},
        "notes": {"M": {"from a mail": {"L": [{"S": f"use {PLANTED} for now"}]}}},
    }
    gateway.admin("POST", "/v1/users", {"user_id": "ann", "metadata": {"openai": PLANTED}})
    engine.put_item(TableName=TABLE, Item=planted)
    try:
        (verdict,) = _failed(doctor.run("doctor", "-o", "jsonl", *where))
    finally:
        engine.delete_item(TableName=TABLE, Key={"pk": planted["pk"], "sk": planted["sk"]})
        gateway.admin("PATCH", "/v1/users/ann", {"metadata": {}})
    assert sorted(verdict["details"]) == [
        "KEY/planted, notes.from a mail[0]: looks like a key as of OpenAI",
        "USER/ann, metadata: looks like a key as of OpenAI",
    ]
    assert PLANTED not in str(verdict)
    assert doctor.run("doctor", *where).exit_code == 0


def test_a_scan_says_how_much_of_the_table_it_saw(doctor: Command, dynoxide: str) -> None:
    where = ["--table", TABLE, "--endpoint", dynoxide, "--scan-limit", "3"]
    told = doctor("doctor", *where, *_only(("plaintext",)))
    assert "the first 3 items" in told


def test_a_table_that_cannot_be_read_fails(doctor: Command, dynoxide: str) -> None:
    where = ["--table", "no-such-table", "--endpoint", dynoxide]
    _failed(doctor.run("doctor", "-o", "jsonl", *where, *_only(("plaintext", "schedule"))))


def test_a_model_that_may_be_used_and_has_no_price_fails(
    doctor: Command, gateway: GatewayProcess
) -> None:
    user = {"user_id": "bob", "allowed_models": ["openai:gpt-of-nobody", "openai:gpt-4o*"]}
    gateway.admin("POST", "/v1/users", user)
    try:
        (verdict,) = _failed(doctor.run("doctor", "-o", "jsonl", *_only(("prices",))))
    finally:
        gateway.admin("DELETE", "/v1/users/bob")
    (line,) = verdict["details"]
    assert line.startswith("openai:gpt-of-nobody, by the allow-list of user bob")


def test_a_price_far_from_the_public_one_fails(doctor: Command, gateway: GatewayProcess) -> None:
    model = "openai:gpt-4o-mini"
    wrong = {"model_key": model, "input_price_per_million": 15, "output_price_per_million": 0.6}
    gateway.admin("POST", "/v1/pricing", wrong)
    gateway.admin("POST", "/v1/users", {"user_id": "cem", "allowed_models": [model]})
    try:
        (verdict,) = _failed(doctor.run("doctor", "-o", "jsonl", *_only(("rates",))))
    finally:
        gateway.admin("DELETE", "/v1/users/cem")
        gateway.admin("DELETE", f"/v1/pricing/{model}")
    assert verdict["details"] == [
        f"{model}: your input costs $15 a million, the public price is $0.15"
    ]


def test_a_provider_that_charges_more_than_is_booked_fails(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    _use("mock:hello", gateway)

    def rewrite(passing: Passing) -> tuple[int, Any] | None:
        if passing.path != "/v1/usage":
            return None
        dearer = [{**one, "reported_cost": 2 * (one["cost"] or 0)} for one in passing.body["data"]]
        return 200, {**passing.body, "data": dearer}

    (verdict,) = _spoiled(gateway, tmp_path, Spoil(rewrite=rewrite), "charges")
    assert verdict["details"][0].startswith("mock:hello: $")


def _use(model: str, gateway: GatewayProcess) -> None:
    """Call a model as an application does."""
    issued = gateway.admin("POST", "/v1/keys", {"user_id": "dan"})
    answer = httpx2.post(
        f"{gateway.url}/v1/chat/completions",
        json={"model": model, "messages": [{"role": "user", "content": "hello"}]},
        headers={"authorization": f"Bearer {issued['key']}"},
    )
    assert answer.status_code == 200, answer.text


def test_a_schedule_that_does_not_run_fails(doctor: Command, dynoxide: str, engine: Any) -> None:
    ended = (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    overdue = {"L": [{"N": "1"}, {"N": str(int(datetime.now(UTC).timestamp()) - 3600)}]}
    held = _account("user/left", "2026-01-01T00:00:00.000000Z/..", {"AAAA": overdue})
    over = _account("user/over", f"2026-01-01T00:00:00.000000Z/{ended}", {})
    for item in (held, over):
        engine.put_item(TableName=TABLE, Item=item)
    where = ["--table", TABLE, "--endpoint", dynoxide, *_only(("schedule",))]
    try:
        (verdict,) = _failed(doctor.run("doctor", "-o", "jsonl", *where))
    finally:
        for item in (held, over):
            engine.delete_item(TableName=TABLE, Key={"pk": item["pk"], "sk": item["sk"]})
    told = "\n".join(verdict["details"])
    assert "user/left" in told
    assert "user/over" in told
    assert len(verdict["details"]) == 2


def _account(subject: str, period: str, holds: dict[str, Any]) -> dict[str, Any]:
    return {
        "pk": {"S": f"ACCOUNT#{subject}"},
        "sk": {"S": period},
        "committed": {"N": "1"},
        "holds": {"M": holds},
        "gsi1pk": {"S": "OPEN#3"},
        "gsi1sk": {"S": "never"},
    }


def test_settings_that_weaken_the_gateway_fail(dynoxide: str, tmp_path: Path) -> None:
    weak = {"BURSAR_USER_FIELD": "any", "BURSAR_CHARGES_UNKNOWN": "false"}
    with running(_gateway(dynoxide, tmp_path / "weak", **weak)) as gateway:
        command = Command(tmp_path / "home", gateway.url)
        (verdict,) = _failed(command.run("doctor", "-o", "jsonl", *_only(("settings",))))
    assert [line.partition(":")[0] for line in verdict["details"]] == [
        "BURSAR_USER_FIELD=any",
        "BURSAR_CHARGES_UNKNOWN=false",
    ]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_an_interrupted_run_leaves_nothing_behind(
    gateway: GatewayProcess, doctor: Command, how: signal.Signals
) -> None:
    with (
        subprocess.Popen(
            [str(PROGRAM), "doctor", *_only(("stream",))],
            env=doctor.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process,
        contextlib.ExitStack() as stack,
    ):
        stack.callback(process.kill)
        assert until(lambda: any("-stream" in name for name in _left(gateway)))
        process.send_signal(how)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + how
    assert b"Traceback" not in said
    assert _left(gateway) == []


def test_a_model_that_costs_is_not_called_unasked(served: Deployment, tmp_path: Path) -> None:
    command = Command(tmp_path / "home", served.gateway.url)
    calls = len(served.upstream.requests)
    ended = command.run("doctor", "--model", "openai:fake", *_only(("race",)))
    assert ended.exit_code == 2
    assert "add --yes" in ended.said
    assert len(served.upstream.requests) == calls


def test_a_model_that_costs_is_called_once_somebody_agreed(
    served: Deployment, tmp_path: Path
) -> None:
    command = Command(tmp_path / "home", served.gateway.url)
    ended = command.run("doctor", "--model", "openai:fake", "--yes", *_only(("race",)))
    assert ended.exit_code == 0, ended.data
    assert "openai:fake is called 42 times at most, for $" in ended.said


def test_without_the_mock_and_without_a_model_calls_are_skipped(
    served: Deployment, tmp_path: Path
) -> None:
    command = Command(tmp_path / "home", served.gateway.url)
    ended = command.run("doctor", "-o", "jsonl", *_only(("race", "stream", "disconnect")))
    assert ended.exit_code == 0
    assert {one["outcome"] for one in ended.lines} == {"skipped"}
    assert "--model" in ended.lines[0]["remedy"]
