"""any-llm-gateway: its config.yml and its database, as of 1.14.

The schema is that of `any_llm.gateway.models.entities` and its migrations, in the package
`any-llm-sdk[gateway]==1.14.0`. Keys are kept there as the SHA-256 of the whole key, as here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.moments import as_sent
from bursar.cli.moving.config_files import section, where_from
from bursar.cli.moving.findings import Kind, ProviderNeed, Task
from bursar.cli.moving.reading import (
    is_digest,
    mapped,
    moment,
    sent_moment,
    usd,
    wrong_user_id,
)
from bursar.domain.errors import InvalidRequest
from bursar.domain.models import parse_model

if TYPE_CHECKING:
    from bursar.cli.moving.databases import Database
    from bursar.cli.moving.findings import Findings

_TABLES: Final = frozenset({"users", "api_keys", "budgets", "model_pricing"})
_HANDLED: Final = frozenset({"providers", "pricing", "database_url"})
_SETTINGS: Final = {
    "master_key": (
        "The master key is left out: start this gateway with the same one, or with another",
        "read -rs BURSAR_MASTER_KEY && export BURSAR_MASTER_KEY",
    ),
    "rate_limit_rpm": (
        "Every user's requests a minute are a setting of the deployment, now {value} there",
        "export BURSAR_RATE_LIMIT_RPM={value}",
    ),
    "cors_allow_origins": (
        "Origins of browsers are a setting of the deployment: take the same list over",
        "export BURSAR_CORS_ALLOW_ORIGINS=…",
    ),
}
_OF_NO_USE: Final = {
    "host": "where it listens is this deployment's own",
    "port": "where it listens is this deployment's own",
    "auto_migrate": "there is no database to migrate here",
    "bootstrap_api_key": "keys are imported",
    "enable_metrics": "metrics are in the log and in CloudWatch, and always on",
}


def read_config(config: dict[str, Any], found: Findings) -> None:
    """What a config.yml says, but for its database."""
    for name, entry in section(config, "providers").items():
        _provider(name, entry if isinstance(entry, dict) else {}, found)
    for model, row in section(config, "pricing").items():
        _price(model, row if isinstance(row, dict) else {}, found)
    for name, value in config.items():
        if name in _SETTINGS and value not in (None, [], ""):
            what, command = _SETTINGS[name]
            found.tasks.append(Task(what.format(value=value), command.format(value=value)))
        elif name in _OF_NO_USE:
            found.skip("setting", name, _OF_NO_USE[name])
        elif name not in _HANDLED and name not in _SETTINGS:
            found.cannot("setting", name, "it is no setting of any-llm-gateway 1.14")


def read_database(database: Database, found: Findings) -> None:
    """What a database holds.

    Raises:
        Failed: it is not that gateway's.
    """
    missing = sorted(_TABLES - database.tables)
    if missing:
        raise Failed(
            f"{database.name} is no database of any-llm-gateway: it has no table {missing[0]!r}",
            WRONG_USAGE,
        )
    now = datetime.now(UTC)
    durations = {}
    for row in database.rows("budgets"):
        durations[row["budget_id"]] = row["budget_duration_sec"]
        _budget(row, found)
    for row in database.rows("model_pricing"):
        _price(row["model_key"], row, found)
    deleted = set()
    for row in database.rows("users"):
        if row["deleted_at"] is not None:
            deleted.add(row["user_id"])
        _user(row, durations, found, now)
    for row in database.rows("api_keys"):
        _key(row, deleted, found)
    _usage(database, found)


def _provider(name: str, entry: dict[str, Any], found: Findings) -> None:
    keys = ("api_key", "credentials")
    key = next((entry[key] for key in keys if entry.get(key)), None)
    fields = tuple(sorted(name for name in entry if name not in keys and entry[name]))
    found.providers[name] = ProviderNeed(name, where_from(key), fields)


def _price(model: str, row: dict[str, Any], found: Findings) -> None:
    try:
        name = str(parse_model(str(model)))
        rates = {
            field: usd(row[field])
            for field in ("input_price_per_million", "output_price_per_million")
        }
    except (InvalidRequest, ValueError, KeyError):
        found.cannot("price", str(model), "it names no provider, or lacks one of the two prices")
        return
    found.add(Kind.PRICE, name, {"model_key": name, **rates})


def _budget(row: dict[str, Any], found: Findings) -> None:
    limit = row["max_budget"]
    body = {
        "budget_id": row["budget_id"],
        "max_budget": None if limit is None else usd(limit),
        "budget_duration_sec": row["budget_duration_sec"],
    }
    found.add(Kind.BUDGET, row["budget_id"], body)


def _user(row: dict[str, Any], durations: dict[str, Any], found: Findings, now: datetime) -> None:
    user_id = row["user_id"]
    wrong = "deleted there" if row["deleted_at"] is not None else wrong_user_id(user_id)
    if wrong is not None:
        add = found.skip if row["deleted_at"] is not None else found.cannot
        add("user", user_id, wrong)
        return
    reset_at = moment(row["next_budget_reset_at"])
    is_over = reset_at is not None and reset_at <= now
    spend = usd(0) if is_over else usd(row["spend"])
    body = {
        "user_id": user_id,
        "alias": row["alias"],
        "blocked": bool(row["blocked"]),
        "metadata": mapped(row["metadata"]),
        "budget_id": row["budget_id"],
        "budget_started_at": _started_at(row, durations, reset_at, now),
        "spend": spend,
    }
    found.add(Kind.USER, user_id, body)


def _started_at(
    row: dict[str, Any], durations: dict[str, Any], reset_at: datetime | None, now: datetime
) -> str | None:
    """When the period began, so that it ends when it would have there."""
    duration_s = durations.get(row["budget_id"])
    if row["budget_id"] is None:
        return None
    if reset_at is not None and duration_s:
        return as_sent(min(reset_at - timedelta(seconds=duration_s), now))
    started = moment(row["budget_started_at"])
    return None if started is None else as_sent(min(started, now))


def _key(row: dict[str, Any], deleted: set[str], found: Findings) -> None:
    name = row["key_name"] or row["id"]
    if row["user_id"] in deleted:
        found.skip("key", name, f"its user {row['user_id']} is deleted there")
    elif row["user_id"] is not None and not found.has(Kind.USER, row["user_id"]):
        found.cannot("key", name, f"its user {row['user_id']} cannot come")
    elif not is_digest(row["key_hash"]):
        found.cannot("key", name, "it is not kept as a SHA-256")
    else:
        body = {
            "id": row["id"],
            "key_digest": row["key_hash"],
            "key_name": row["key_name"],
            "user_id": row["user_id"],
            "expires_at": sent_moment(row["expires_at"]),
            "is_active": bool(row["is_active"]),
            "metadata": mapped(row["metadata"]),
        }
        found.add(Kind.KEY, row["id"], body)


def _usage(database: Database, found: Findings) -> None:
    count = database.count("usage_logs")
    if count:
        found.skip("usage", f"{count} records", "history stays in the old database")
    for provider, model in database.distinct("usage_logs", "provider", "model"):
        if provider and model:
            found.models.add(f"{provider}:{model}")
