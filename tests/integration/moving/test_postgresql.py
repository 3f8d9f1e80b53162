"""Databases of other gateways in PostgreSQL, read as in SQLite.

They need a server and psycopg: BURSAR_TEST_POSTGRESQL names a database in which a schema may be
made, as in postgresql://postgres@127.0.0.1/postgres, with its password in PGPASSWORD.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import pytest

from bursar.cli.moving import any_llm, litellm_database
from bursar.cli.moving.databases import opened
from bursar.cli.moving.findings import Findings
from tests.fakes.other_gateways import (
    LITELLM_TABLES,
    any_llm_database,
    litellm_digest,
)
from tests.fakes.other_gateways import litellm_database as in_sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER: Final = os.environ.get("BURSAR_TEST_POSTGRESQL", "")
pytestmark = pytest.mark.skipif(
    not SERVER or find_spec("psycopg") is None,
    reason="there is no PostgreSQL: set BURSAR_TEST_POSTGRESQL, and install psycopg",
)
# What SQLite has no types for.
_TYPES: Final = {
    "models": "TEXT[]",
    "metadata": "JSONB",
    "model_max_budget": "JSONB",
    "aliases": "JSONB",
}
ENDS_AT: Final = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
ROWS: Final[dict[str, list[dict[str, Any]]]] = {
    "LiteLLM_UserTable": [
        {"user_id": "dora", "spend": 0.7, "max_budget": 5.0, "budget_duration": "14d"}
        | {"budget_reset_at": ENDS_AT, "models": ["fast", "gone"], "metadata": {"a": [1]}},
    ],
    "LiteLLM_VerificationToken": [
        {"token": litellm_digest("sk-dUmmy"), "user_id": "dora", "expires": ENDS_AT},
    ],
}


@pytest.fixture
def url() -> Iterator[str]:
    """A schema of the test's own."""
    psycopg = import_module("psycopg")
    schema = f"moving_{uuid.uuid4().hex}"
    with closing(psycopg.connect(SERVER, autocommit=True)) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield f"{SERVER}?schema={schema}&connection_limit=5"
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


def _made(url: str, statements: list[tuple[str, list[Any]]]) -> None:
    psycopg, schema = import_module("psycopg"), url.partition("schema=")[2].partition("&")[0]
    with closing(psycopg.connect(SERVER, autocommit=True)) as connection:
        connection.execute(f"SET search_path TO {schema}")
        for statement, values in statements:
            connection.execute(statement, values)


def test_litellms_arrays_and_objects_are_read_as_in_sqlite(url: str, tmp_path: Path) -> None:
    _made(url, [*_litellm_tables(), *_litellm_rows()])
    read = []
    for source in (url, str(in_sqlite(tmp_path / "litellm.db", ROWS))):
        found = Findings()
        with opened(source) as database:
            litellm_database.read_database(database, found, frozenset({"fast"}), "UTC")
        read.append(found.records)
    assert read[0] == read[1]
    (user,) = [record for record in read[0] if record.kind == "user"]
    assert user.body["allowed_models"] == ["fast"]
    assert user.body["metadata"] == {"a": [1]}


def test_any_llms_tables_are_read_as_in_sqlite(url: str, tmp_path: Path) -> None:
    seed = any_llm_database(tmp_path / "gateway.db")
    _made(url, list(_copied(seed)))
    read = []
    for source in (url, str(seed)):
        found = Findings()
        with opened(source) as database:
            any_llm.read_database(database, found)
        read.append(found.records)
    assert read[0] == read[1]
    assert len(read[0]) > 8


def _litellm_tables() -> Iterator[tuple[str, list[Any]]]:
    for table, columns in LITELLM_TABLES.items():
        typed = (_typed(*column.partition(" ")[::2]) for column in columns)
        yield f'CREATE TABLE "{table}" ({", ".join(typed)})', []


def _typed(name: str, kept: str) -> str:
    return f'"{name}" {_TYPES.get(name, kept.partition(" ")[0])}'


def _litellm_rows() -> Iterator[tuple[str, list[Any]]]:
    for table, rows in ROWS.items():
        for row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("%s" for _ in row)
            values = [
                json.dumps(value)
                if isinstance(value, dict)
                else value.replace(tzinfo=None)
                if isinstance(value, datetime)
                else value
                for value in row.values()
            ]
            yield f'INSERT INTO "{table}" ({names}) VALUES ({marks})', values  # noqa: S608


def _copied(seed: Path) -> Iterator[tuple[str, list[Any]]]:
    """The seed's rows with PostgreSQL's own types, as its migrations make them there."""
    types = {"DATETIME": "TIMESTAMPTZ", "FLOAT": "DOUBLE PRECISION"}
    with opened(str(seed)) as database:
        columns = database._connection.execute
        for table in ("budgets", "model_pricing", "users", "api_keys", "usage_logs"):
            described = list(columns(f"PRAGMA table_info({table})"))
            typed = {name: types.get(kept, kept) for _, name, kept, *_ in described}
            named = ", ".join(f'"{name}" {kept}' for name, kept in typed.items())
            yield f'CREATE TABLE "{table}" ({named})', []
            for row in database.rows(table):
                values = [_native(typed[name], value) for name, value in row.items()]
                marks = ", ".join("%s" for _ in values)
                yield f'INSERT INTO "{table}" VALUES ({marks})', values  # noqa: S608


def _native(kept: str, value: Any) -> Any:
    if value is None:
        return None
    if kept == "TIMESTAMPTZ":
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return bool(value) if kept == "BOOLEAN" else value
