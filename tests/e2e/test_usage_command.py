"""The books by command: lists, sums that are the accounts', and files."""

from __future__ import annotations

import asyncio
import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import pyarrow as pa
import pytest
from pyarrow import parquet

from bursar.domain.ids import request_id
from bursar.domain.usage import Status, TokenUsage, UsageRecord
from bursar.store.connect import connect
from bursar.store.usage_log import DynamoUsageLog
from tests.e2e.command import Command
from tests.e2e.deployment import MODEL
from tests.e2e.gateway_process import NO_TLS
from tests.e2e.terminal import on_a_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.deployment import Deployment, Holder

CALLS = 3


@pytest.fixture(scope="module")
def spender(served: Deployment) -> Holder:
    """Somebody with three answers and an error in the books."""
    holder = served.holder(user={"alias": "the spender"})
    for _ in range(CALLS):
        assert _chat(served, holder, MODEL).status_code == 200
    return holder


@pytest.fixture
def bursar(served: Deployment, tmp_path: Path) -> Command:
    return Command(tmp_path / "home", served.gateway.url)


def _chat(served: Deployment, holder: Holder, model: str) -> httpx2.Response:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 5,
    }
    url = f"{served.gateway.url}/v1/chat/completions"
    return httpx2.post(url, json=body, headers=holder.headers, timeout=30, verify=NO_TLS)


def _exactly(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def test_a_list_has_the_newest_first_and_can_be_narrowed(
    served: Deployment, spender: Holder, bursar: Command
) -> None:
    mine = ("usage", "list", "--user", spender.user_id)
    rows = bursar.json(*mine)
    expected = [row["id"] for row in served.usage(spender)]

    assert [row["id"] for row in rows] == expected
    assert len(bursar.run(*mine, "--limit", "2", "-o", "jsonl").lines) == 2
    assert len(bursar.json(*mine, "--since", "1h", "--model", MODEL, "--status", "success")) == 3
    assert bursar.json(*mine, "--until", "1h") == []
    assert bursar.json(*mine, "--status", "error") == []
    assert bursar.json("usage", "list", "--key", spender.key_id) == rows
    table = bursar(*mine)
    assert table.splitlines()[0].split() == [
        *("TIME", "USER", "MODEL", "IN", "OUT", "COST", "TOOK", "END", "REQUEST")
    ]
    assert all(identifier in table for identifier in expected)
    wide, narrow = (on_a_terminal(bursar, *mine, columns=width).plain_data for width in (160, 120))
    assert all(identifier in wide for identifier in expected)
    assert "REQUEST" not in narrow
    assert "…" not in narrow + wide


def test_sums_are_the_accounts_to_the_last_decimal(
    served: Deployment, spender: Holder, bursar: Command
) -> None:
    other = served.holder()
    assert _chat(served, other, MODEL).status_code == 200

    rows = _exactly(bursar("usage", "summary", "--by", "user", "-o", "json"))

    by_user = {row["user"]: row for row in rows}
    for holder, calls in ((spender, CALLS), (other, 1)):
        row = by_user[holder.user_id]
        assert (row["requests"], row["errors"]) == (calls, 0)
        assert Decimal(row["cost"]) == served.account(holder).committed_usd > 0
    assert sum(Decimal(row["cost"]) for row in rows) == served.books.cost_usd()
    assert [row["cost"] for row in rows] == sorted((row["cost"] for row in rows), reverse=True)


def test_sums_are_made_by_several_groups_at_once(spender: Holder, bursar: Command) -> None:
    by = [word for name in ("provider", "model", "key", "alias") for word in ("--by", name)]
    ended = bursar.run("usage", "summary", "--user", spender.user_id, *by, "-o", "csv")
    (row,) = ended.rows

    expected = ("openai", MODEL, spender.key_id, "", "3")
    assert tuple(row.values())[:5] == expected
    assert row["share"] == "1.0000"


def test_a_table_of_sums_ends_with_the_total(bursar: Command, spender: Holder) -> None:
    table = bursar("usage", "summary", "--user", spender.user_id, "--since", "2d")

    heads, *_, total = table.splitlines()
    assert heads.split() == ["DAY", "REQUESTS", "ERRORS", "IN", "OUT", "COST", "SHARE"]
    assert total.split()[:2] == ["total", "3"]
    assert total.split()[-1] == "100.0%"
    assert table.isascii()


@pytest.fixture(scope="module")
def newest() -> datetime:
    """When the newest of many requests was: near midnight that is not today."""
    return datetime.now(UTC) - timedelta(minutes=30)


@pytest.fixture(scope="module")
def many(served: Deployment, newest: datetime) -> str:
    """A user with more requests than a page has, over ten days with a gap; their id."""
    asyncio.run(_enter_many(served, newest))
    return "many"


async def _enter_many(served: Deployment, newest: datetime) -> None:
    call = connect({"DYNAMODB_ENDPOINT": served.gateway.environ["DYNAMODB_ENDPOINT"]})
    log = DynamoUsageLog(call, served.table)
    for number in range(1_234):
        at = newest - timedelta(days=(0, 1, 2, 4, 9)[number % 5], microseconds=number)
        await log.record(_record("many", at, Decimal(number) / 10**12))
    await call.close()


def _record(user_id: str, at: datetime, cost: Decimal) -> UsageRecord:
    return UsageRecord(
        request_id=request_id(at),
        user_id=user_id,
        created_at=at,
        endpoint="/v1/chat/completions",
        status=Status.SUCCESS,
        provider="openai",
        model="gpt-4o",
        usage=TokenUsage(1_200, 300, reasoning_tokens=128),
        cost_usd=cost,
        rates=(("cached_input", Decimal("1.25")),),
    )


@pytest.mark.parametrize("name", ["all.csv", "all.json", "all.jsonl", "all.parquet"])
def test_an_export_has_every_record_with_all_digits(
    bursar: Command, many: str, tmp_path: Path, name: str
) -> None:
    ended = bursar.run("usage", "export", str(tmp_path / name), "--user", many)
    assert ended.exit_code == 0, ended.said
    assert ended.said == f"Wrote 1234 requests to {tmp_path / name}\n"

    rows = _read(tmp_path / name)

    assert len({row["id"] for row in rows}) == 1_234
    total = sum(Decimal(number) for number in range(1_234)) / 10**12
    assert sum(Decimal(row["cost"]) for row in rows) == total
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]


def _read(path: Path) -> list[dict[str, Any]]:
    match path.suffix:
        case ".csv":
            with path.open(newline="") as file:
                return list(csv.DictReader(file))
        case ".json":
            return list(_exactly(path.read_text()))
        case ".jsonl":
            return [_exactly(line) for line in path.read_text().splitlines()]
        case _:
            return list(parquet.read_table(path).to_pylist())


def test_a_parquet_file_has_types_for_moments_counts_and_money(
    bursar: Command, many: str, tmp_path: Path
) -> None:
    path = tmp_path / "some.parquet"
    bursar("usage", "export", str(path), "--user", many, "--since", "12h")

    table = parquet.read_table(path)

    types = {field.name: field.type for field in table.schema}
    assert types["cost"] == pa.decimal128(38, 12)
    assert types["timestamp"] == pa.timestamp("us", tz="UTC")
    assert types["prompt_tokens"] == pa.int64()
    row = table.to_pylist()[0]
    assert row["rates"] == [("cached_input", Decimal("1.25"))]
    assert row["token_details"] == [("reasoning_tokens", 128)]
    assert abs(datetime.now(UTC) - row["timestamp"]) < timedelta(hours=1)


def test_an_export_overwrites_nothing_unasked_and_leaves_no_half_file(
    served: Deployment, bursar: Command, many: str, tmp_path: Path
) -> None:
    path = tmp_path / "all.csv"
    path.write_text("mine")
    assert bursar.run("usage", "export", str(path), "--user", many).exit_code == 5
    unreachable = {"BURSAR_URL": "http://127.0.0.1:1"}
    assert bursar.run("usage", "export", str(path), "--force", environ=unreachable).exit_code == 1
    assert path.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["all.csv"]

    bursar("usage", "export", str(path), "--user", many, "--force")

    assert len(path.read_text().splitlines()) == 1_235


def test_an_export_goes_to_standard_output_too(bursar: Command, many: str) -> None:
    ended = bursar.run("usage", "export", "-", "--format", "jsonl", "--user", many)
    assert len(ended.lines) == 1_234
    assert bursar.run("usage", "export", "-", "--format", "parquet").exit_code == 2
    assert bursar.run("usage", "export", "somewhere").exit_code == 2


def test_a_terminal_sees_the_days_as_a_line_and_shares_as_bars(
    bursar: Command, many: str, newest: datetime
) -> None:
    summary = ("usage", "summary", "--user", many, "--since", "30d")
    shown = on_a_terminal(bursar, *summary)

    lines = shown.plain_data.splitlines()
    first = (newest - timedelta(days=9)).date().isoformat()
    assert lines[0].startswith(first)
    drawn = lines[0][len(first) + 1 :].rpartition(" ")[0]
    assert len(drawn) == 10
    assert drawn.count(" ") == 5
    assert "\x1b[" in shown.data
    assert sum("█" in line or "▏" in line for line in lines[1:]) == 5
    assert "total" in shown.plain_data


def test_bars_stay_without_colours_and_go_without_characters_for_them(
    bursar: Command, many: str
) -> None:
    summary = ("usage", "summary", "--user", many, "--since", "30d", "--quiet")

    colourless = on_a_terminal(bursar, *summary, environ={"NO_COLOR": "1"})
    plain = on_a_terminal(bursar, *summary, environ={"PYTHONIOENCODING": "ascii", "NO_COLOR": "1"})

    assert "█" in colourless.data
    assert "\x1b[" not in colourless.data
    assert plain.data.isascii()
    assert plain.exit_code == 0


def test_a_terminal_sees_how_far_an_export_is(bursar: Command, many: str, tmp_path: Path) -> None:
    export = ("usage", "export", str(tmp_path / "all.csv"), "--user", many)

    shown = on_a_terminal(bursar, *export, "--since", "10d")
    quiet = on_a_terminal(bursar, *export, "--force", "--quiet")

    assert "1,234 requests" in shown.plain_said
    assert "━" in shown.plain_said
    assert f"Wrote 1234 requests to {tmp_path / 'all.csv'}" in shown.plain_said.replace("\n", "")
    assert (quiet.data, quiet.said) == ("", "")


def test_there_is_a_line_about_what_is_not_shown(bursar: Command, many: str) -> None:
    some = bursar.run("usage", "list", "--user", many, "-o", "jsonl")
    every = bursar.run("usage", "list", "--user", many, "-o", "jsonl", "--all")

    assert (len(some.lines), len(every.lines)) == (100, 1_234)
    assert "There are more than these 100" in some.said
    assert every.said == ""


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--since", "yesterday"),
        ("list", "--limit", "1", "--all"),
        ("list", "--user", "alice", "--project", "p"),
        ("summary", "--by", "colour"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(bursar: Command, words: tuple[str, ...]) -> None:
    assert bursar.run("usage", *words).exit_code == 2
