"""Databases and files are read without writing to them, and without a secret in a message."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from bursar.cli.failures import Failed
from bursar.cli.moving.config_files import filled, read_yaml, where_from
from bursar.cli.moving.databases import (
    _for_libpq,
    _without_password,
    check_no_password,
    is_database,
    opened,
)
from tests.fakes.other_gateways import any_llm_database

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "pw-canary"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SECRET}@db/x",
        f"postgresql+psycopg2://u:{SECRET}@db:5432/x?sslmode=require",
        f"postgresql://u@db/x?password={SECRET}",
    ],
)
def test_a_password_in_the_command_line_is_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(Failed, match="set PGPASSWORD") as refused:
        check_no_password(url)
    assert SECRET not in refused.value.message
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("source", ["postgresql://u@db/x", "sqlite:///x.db", "config.yml"])
def test_any_other_source_may_be_named(source: str) -> None:
    check_no_password(source)


def test_libpq_gets_the_password_apart_and_only_parameters_that_it_knows() -> None:
    url = f"postgresql+psycopg2://u:{SECRET}%21@db:5/x?sslmode=require&connection_limit=5&schema=s"
    address, password = _for_libpq(url)
    assert address == "postgresql://u@db:5/x?sslmode=require&options=-csearch_path%3Ds"
    assert password == f"{SECRET}!"
    assert SECRET not in _without_password(url)


def test_a_sqlite_file_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    database = any_llm_database(tmp_path / "anything")
    (tmp_path / "config.db").write_text("providers: {}")
    assert is_database(str(database))
    assert is_database("postgresql://db/x")
    assert not is_database(str(tmp_path / "config.db"))
    assert not is_database(str(tmp_path / "missing"))


def test_sqlalchemys_urls_lead_to_the_same_file(tmp_path: Path) -> None:
    path = any_llm_database(tmp_path / "gateway.db")
    for source in (str(path), f"sqlite:///{path}"):
        with opened(source) as database:
            assert database.count("users") == 4
            assert database.count("nothing") == 0
            assert list(database.rows("nothing")) == []


def test_a_database_is_opened_for_reading_alone(tmp_path: Path) -> None:
    path = any_llm_database(tmp_path / "gateway.db")
    with opened(str(path)) as database, pytest.raises(sqlite3.OperationalError, match="readonly"):
        database._connection.execute("DELETE FROM users")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="There is no file"), opened(f"sqlite:///{tmp_path}/x.db"):
        pass
    assert not (tmp_path / "x.db").exists()


def test_other_databases_are_refused_by_name() -> None:
    with pytest.raises(Failed, match="mysql"), opened("mysql://db/x"):
        pass


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ("${OPENAI_API_KEY}", "the variable OPENAI_API_KEY"),
        ("os.environ/OPENAI_API_KEY", "the variable OPENAI_API_KEY"),
        ("sk-canary", "the file itself"),
        (None, None),
    ],
)
def test_where_a_secret_is_is_told_and_not_the_secret(value: str | None, where: str | None) -> None:
    assert where_from(value) == where


def test_variables_are_filled_in_where_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEED_DB", "x.db")
    monkeypatch.delenv("MISSING", raising=False)
    assert filled("sqlite:///${SEED_DB}") == "sqlite:///x.db"
    assert filled("os.environ/SEED_DB") == "x.db"
    assert filled("sqlite:///${MISSING}") is None
    assert filled("os.environ/MISSING") is None


@pytest.mark.parametrize("content", [f"a: [{SECRET}", f"- {SECRET}", f"{SECRET}"])
def test_a_file_that_is_no_mapping_is_refused_without_quoting_it(
    content: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.yml"
    path.write_text(content)
    with pytest.raises(Failed) as refused:
        read_yaml(str(path))
    assert SECRET not in refused.value.message
