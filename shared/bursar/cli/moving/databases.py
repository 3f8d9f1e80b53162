"""Reads another gateway's database: a SQLite file, or PostgreSQL by psycopg; never writes to it."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import click

from bursar.cli.failures import NOT_FOUND, WRONG_USAGE, Failed

if TYPE_CHECKING:
    from collections.abc import Iterator

_SQLITE_MAGIC: Final = b"SQLite format 3\0"
# What libpq knows of what the gateways' own drivers take.
_PARAMETERS: Final = frozenset(
    {"host", "port", "connect_timeout", "sslmode", "sslrootcert", "sslcert", "sslkey", "options"}
)


class Database:
    """One moment's state of a database.

    Args:
        connection: by the DB-API.
        tables: a query for the names of all tables.
        name: for people, without a password.
    """

    def __init__(self, connection: Any, tables: str, name: str) -> None:
        self._connection = connection
        self.name = name
        self.tables = frozenset(row[0] for row in self._run(tables))

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """All rows of a table by the columns' names; none where there is no such table."""
        if table not in self.tables:
            return
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 (a name of the code's own)
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))

    def count(self, table: str) -> int:
        if table not in self.tables:
            return 0
        (row,) = self._run(f'SELECT COUNT(*) FROM "{table}"')  # noqa: S608 (as above)
        return int(row[0])

    def distinct(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Which combinations of some columns' values there are."""
        if table not in self.tables:
            return []
        named = ", ".join(f'"{column}"' for column in columns)
        return self._run(f'SELECT DISTINCT {named} FROM "{table}"')  # noqa: S608 (as above)

    def _run(self, query: str) -> list[tuple[Any, ...]]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(query)
            return list(cursor)


def is_database(source: str) -> bool:
    """Whether a source is a database's URL or file."""
    if "://" in source:
        return True
    try:
        with Path(source).expanduser().open("rb") as file:
            return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    except OSError:
        return False


def check_no_password(url: str) -> None:
    """Refuse a password that every process of the machine can read by now.

    Raises:
        Failed: says where to put it.
    """
    if "://" not in url:
        return
    parts = urlsplit(url)
    if parts.password is not None or "password" in dict(parse_qsl(parts.query)):
        raise Failed(
            "A password in a command line can be read by every process of this machine: take it "
            "out of the URL, and set PGPASSWORD, or wait to be asked for it",
            WRONG_USAGE,
        )


@contextmanager
def opened(source: str) -> Iterator[Database]:
    """Open a database for reading.

    Raises:
        Failed: it is not there, cannot be read, or is of another kind.
    """
    scheme = source.partition("://")[0].partition("+")[0] if "://" in source else "sqlite"
    if scheme == "sqlite":
        with closing(_sqlite(_path(source))) as connection:
            yield Database(connection, "SELECT name FROM sqlite_master", _path(source))
    elif scheme in ("postgresql", "postgres"):
        with closing(_postgresql(source)) as connection:
            tables = (
                "SELECT tablename FROM pg_tables WHERE schemaname = ANY(current_schemas(false))"
            )
            yield Database(connection, tables, _without_password(source))
    else:
        raise Failed(f"A database is sqlite:///… or postgresql://…, not {scheme}://…", WRONG_USAGE)


def _path(source: str) -> str:
    """SQLAlchemy's URLs have three slashes before a relative path, and four before one from `/`."""
    if "://" not in source:
        return str(Path(source).expanduser())
    return unquote(source.partition("://")[2].partition("?")[0].removeprefix("/"))


def _sqlite(path: str) -> sqlite3.Connection:
    if not Path(path).is_file():
        raise Failed(f"There is no file {path}", NOT_FOUND)
    try:
        connection = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)
        connection.execute("BEGIN")
        connection.execute("SELECT COUNT(*) FROM sqlite_master")
    except sqlite3.Error as error:
        raise Failed(f"{path} cannot be read as a SQLite database: {error}") from None
    return connection


def _postgresql(url: str) -> Any:
    try:
        psycopg = import_module("psycopg")
    except ImportError:
        raise Failed("PostgreSQL needs psycopg: pip install 'psycopg[binary]'") from None
    connection = _connected(psycopg, url)
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection


def _connected(psycopg: Any, url: str) -> Any:
    address, given = _for_libpq(url)
    password = given or os.environ.get("PGPASSWORD")
    try:
        return psycopg.connect(address, **({"password": password} if password else {}))
    except psycopg.OperationalError as error:
        if password or "password" not in str(error) or not sys.stdin.isatty():
            raise _refused(url, error, has_password=bool(password)) from None
    password = click.prompt(f"Password for {_without_password(url)}", hide_input=True, err=True)
    try:
        return psycopg.connect(address, password=password)
    except psycopg.OperationalError as error:
        raise _refused(url, error, has_password=True) from None


def _refused(url: str, error: Exception, *, has_password: bool) -> Failed:
    what = str(error).strip().splitlines()[-1]
    hint = "" if has_password or "password" not in what else "; set PGPASSWORD"
    return Failed(f"{_without_password(url)} cannot be opened: {what}{hint}")


def _for_libpq(url: str) -> tuple[str, str | None]:
    """The address as libpq takes it, and the password that it had."""
    parts = urlsplit(_without_password(url))
    query = dict(parse_qsl(parts.query))
    kept = {name: value for name, value in query.items() if name in _PARAMETERS}
    if query.get("schema"):  # Prisma's name for it
        kept["options"] = f"{kept.get('options', '')} -csearch_path={query['schema']}".strip()
    password = urlsplit(url).password
    address = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(kept), ""))
    return address, None if password is None else unquote(password)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{host}"))
