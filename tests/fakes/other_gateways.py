"""Databases of other gateways, as files."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_VECTORS: Final = Path(__file__).resolve().parents[1] / "vectors" / "moving"
ANY_LLM_KEYS: Final[Mapping[str, str]] = json.loads(
    (_VECTORS / "any_llm_1_14_keys.json").read_text("utf-8")
)
PERIOD_S: Final = 2_592_000
_LIMITS: Final = (
    "spend FLOAT DEFAULT 0",
    "models TEXT DEFAULT '[]'",
    "metadata TEXT DEFAULT '{}'",
    "max_budget FLOAT",
    "budget_duration TEXT",
    "budget_reset_at TIMESTAMP",
    "rpm_limit BIGINT",
    "tpm_limit BIGINT",
    "max_parallel_requests INT",
    "model_max_budget TEXT DEFAULT '{}'",
    "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
)
_KEYS_AND_TEAMS: Final = ("tpd_limit BIGINT", "router_settings TEXT DEFAULT '{}'")
# The columns that matter of what the migrations of litellm-proxy-extras 0.4.110 make.
LITELLM_TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "LiteLLM_UserTable": (
        "user_id TEXT",
        "user_alias TEXT",
        "user_email TEXT",
        "user_role TEXT DEFAULT 'internal_user'",
        "password TEXT",
        *_LIMITS,
    ),
    "LiteLLM_TeamTable": (
        "team_id TEXT",
        "team_alias TEXT",
        "blocked BOOL",
        "members_with_roles TEXT DEFAULT '[{}]'",
        *_KEYS_AND_TEAMS,
        *_LIMITS,
    ),
    "LiteLLM_BudgetTable": (
        "budget_id TEXT",
        "soft_budget FLOAT",
        "tpd_limit BIGINT",
        "allowed_models TEXT DEFAULT '[]'",
        *(column for column in _LIMITS if not column.startswith(("spend", "models", "metadata"))),
    ),
    "LiteLLM_VerificationToken": (
        "token TEXT",
        "key_name TEXT",
        "key_alias TEXT",
        "user_id TEXT",
        "team_id TEXT",
        "budget_id TEXT",
        "expires TIMESTAMP",
        "blocked BOOL",
        "aliases TEXT DEFAULT '{}'",
        "allowed_routes TEXT DEFAULT '[]'",
        "key_type TEXT",
        "budget_fallbacks TEXT",
        *_KEYS_AND_TEAMS,
        *_LIMITS,
    ),
    "LiteLLM_TagTable": ("tag_name TEXT", "spend FLOAT"),
    "LiteLLM_Config": ("param_name TEXT",),
    "LiteLLM_SpendLogs": ("request_id TEXT", "spend FLOAT"),
}


def any_llm_database(path: Path, *, ends_in: timedelta = timedelta(days=10)) -> Path:
    """The database of a seed gateway, with its first user's period ending at a time from now."""
    ends_at = datetime.now(UTC) + ends_in
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((_VECTORS / "any_llm_1_14.sql").read_text("utf-8"))
        connection.execute(
            "UPDATE users SET budget_started_at = ?, next_budget_reset_at = ? "
            "WHERE user_id = 'alice'",
            (_as_kept(ends_at - timedelta(seconds=PERIOD_S)), _as_kept(ends_at)),
        )
        connection.commit()
    return path


def litellm_database(path: Path, rows: Mapping[str, list[dict[str, Any]]]) -> Path:
    """A database of LiteLLM's proxy with some rows, as SQLite, which it does not use itself."""
    with closing(sqlite3.connect(path)) as connection:
        for table, columns in LITELLM_TABLES.items():
            connection.execute(f'CREATE TABLE "{table}" ({", ".join(columns)})')
            for row in rows.get(table, []):
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" for _ in row)
                values = [_as_column(value) for value in row.values()]
                connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', values)  # noqa: S608
        connection.commit()
    return path


def litellm_digest(key: str) -> str:
    """What LiteLLM keeps of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def _as_column(value: Any) -> Any:
    if isinstance(value, datetime):
        return _as_kept(value)
    return json.dumps(value) if isinstance(value, list | dict) else value


def _as_kept(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
