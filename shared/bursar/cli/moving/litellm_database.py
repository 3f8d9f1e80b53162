"""LiteLLM's database: users, teams and keys with their limits and what they have spent.

The schema is `schema.prisma` of https://github.com/BerriAI/litellm. Keys are kept there as the
SHA-256 of the whole `sk-…`. A team's keys spend the team's money and not their user's, so a team
becomes a user here, `team-<id>`, whose keys they are.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.moving.findings import Findings, Kind
from bursar.cli.moving.litellm_budgets import budget_of
from bursar.cli.moving.litellm_models import model_here
from bursar.cli.moving.reading import is_digest, listed, mapped, sent_moment, usd, wrong_user_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.cli.moving.databases import Database

_KEYS: Final = "LiteLLM_VerificationToken"
_USERS: Final = "LiteLLM_UserTable"
_TEAMS: Final = "LiteLLM_TeamTable"
_BUDGETS: Final = "LiteLLM_BudgetTable"
_OWN_TEAM: Final = "litellm-dashboard"
_EVERY: Final = frozenset({"all-proxy-models", "all-team-models", "*"})
_NONE: Final = "no-default-models"
_RATE_MAX: Final = 10**12
# A digest makes the same id in every import.
_NAMESPACE: Final = uuid.UUID("6d1f6c0e-6a3b-5d1e-9d0b-8f3f0c1a7b52")
# Columns that come, in one way or another.
_CARRIED: Final = frozenset(
    {"token", "key_name", "key_alias", "user_id", "user_alias", "user_email", "team_id"}
    | {"team_alias", "budget_id", "spend", "expires", "blocked", "models", "metadata"}
    | {"rpm_limit", "tpm_limit", "max_budget", "budget_duration", "budget_reset_at"}
)
# Columns that limit nothing: how a row came to be, who signs in there, and what was counted.
_UNLIMITING: Final = frozenset(
    {"created_at", "created_by", "updated_at", "updated_by", "settings_updated_at", "last_active"}
    | {"key_type", "key_rotation_at", "last_rotation_at", "rotation_count", "rotation_interval"}
    | {"soft_budget_cooldown", "model_spend", "total_spend", "model_id", "temp_budget_expiry"}
    | {"user_role", "sso_user_id", "password", "password_reset_required", "last_breach_check_at"}
    | {"teams", "admins", "members", "members_with_roles", "team_member_permissions"}
    | {"default_team_member_models", "allow_team_guardrail_config"}
)
_EMPTY: Final[tuple[Any, ...]] = ({}, [], "{}", "[]")
_MODELS_ROUTES: Final = ["llm_api_routes"]
# Of a key that only manages or looks, which may ask no model there.
_NO_MODELS_ROUTES: Final = frozenset({"management_routes", "info_routes"})
_TABLES_NOT_HERE: Final = {
    "LiteLLM_EndUserTable": ("end users", "a request's 'user' has no budget of its own here"),
    "LiteLLM_OrganizationTable": ("organizations", "there is nothing above users; see projects"),
    "LiteLLM_ProjectTable": ("projects", "their budgets do not move; see bursar projects"),
    "LiteLLM_TagTable": ("tags", "there are no budgets of tags"),
    "LiteLLM_ProxyModelTable": ("models in the database", "their parameters are encrypted"),
    "LiteLLM_DeprecatedVerificationToken": ("rotated keys", "their grace periods do not move"),
    "LiteLLM_JWTKeyMapping": ("JWT mappings", "keys are what is presented here"),
    "LiteLLM_Config": ("settings", "those that were made in LiteLLM's own user interface"),
    "LiteLLM_CredentialsTable": ("credentials", "they are encrypted"),
    "LiteLLM_AccessGroupTable": ("access groups", "name models where they are allowed"),
    "LiteLLM_ModelAccessGroupBudgetTable": ("groups' budgets", "there are none of models"),
    "LiteLLM_GuardrailsTable": ("guardrails", "what is said is not looked into here"),
    "LiteLLM_PolicyTable": ("policies", "as guardrails"),
    "LiteLLM_AgentsTable": ("agents", "there are none here"),
    "LiteLLM_MCPServerTable": ("MCP servers", "tools are the callers' own here"),
}


@dataclass(frozen=True, slots=True)
class _Reader:
    """One reading of a database.

    Attributes:
        aliases: names that callers may use here, afterwards.
        zone: where days begin there.
    """

    found: Findings
    aliases: frozenset[str]
    zone: str
    now: datetime

    def team(self, row: Mapping[str, Any]) -> None:
        self._user(f"team-{row['team_id']}", row.get("team_alias"), row, f"team {row['team_id']}")

    def user(self, row: Mapping[str, Any]) -> None:
        name = row.get("user_alias") or row.get("user_email")
        self._user(row["user_id"], name, row, "")

    def key(self, row: Mapping[str, Any], budgets: Mapping[str, Mapping[str, Any]]) -> None:
        name = row.get("key_alias") or row.get("key_name") or f"{row['token'][:8]}…"
        if row.get("team_id") == _OWN_TEAM:
            self.found.skip("key", name, "a session of LiteLLM's own user interface")
            return
        if not is_digest(row["token"]):
            self.found.cannot("key", name, "it is not kept as a SHA-256")
            return
        routes = listed(row.get("allowed_routes"))
        if routes and _NO_MODELS_ROUTES.issuperset(routes):
            self.found.cannot("key", name, "it may ask no model there, and here it could")
            return
        key_id = str(uuid.uuid5(_NAMESPACE, row["token"]))
        user_id = self._holder(row, key_id, name)
        if user_id is None:
            self.found.cannot("key", name, "its user or team cannot come")
            return
        given = dict(row)
        if row.get("max_budget") is None and row.get("budget_id") in budgets:
            given |= _limits(row, budgets[row["budget_id"]])
        held = budget_of(given, self.found, self.zone, self.now)
        own = dict(held.body) if "budget_id" in held.body else {}
        limits, remarks = self._limits(given)
        body = {
            "id": key_id,
            "key_digest": row["token"],
            "is_foreign": True,
            "key_name": name,
            "user_id": user_id,
            "expires_at": sent_moment(row.get("expires")),
            "is_active": not row.get("blocked"),
            "metadata": mapped(row.get("metadata")),
            **limits,
            **own,
        }
        about = ", ".join(part for part in (held.remark, *remarks) if part)
        self.found.add(Kind.KEY, key_id, body, about)

    def _holder(self, row: Mapping[str, Any], key_id: str, name: str) -> str | None:
        """Who a key spends for here; None where they could not come."""
        team, user = row.get("team_id"), row.get("user_id")
        if team or user:
            holder = f"team-{team}" if team else str(user)
            if not team and not self.found.has(Kind.USER, holder) and not wrong_user_id(holder):
                self.found.add(Kind.USER, holder, {"user_id": holder}, "only its keys name it")
            return holder if self.found.has(Kind.USER, holder) else None
        holder = f"apikey-{key_id}"
        alias = f"Virtual user for API key: {name}"
        spend = usd(row.get("spend"))
        self.found.add(Kind.USER, holder, {"user_id": holder, "alias": alias, "spend": spend})
        return holder

    def _user(self, user_id: str, alias: Any, row: Mapping[str, Any], about: str) -> None:
        wrong = wrong_user_id(user_id)
        if wrong is not None:
            self.found.cannot("user", user_id, wrong)
            return
        held = budget_of(row, self.found, self.zone, self.now)
        limits, remarks = self._limits(row)
        body = {
            "user_id": user_id,
            "alias": alias,
            "blocked": bool(row.get("blocked")),
            "metadata": mapped(row.get("metadata")),
            **limits,
            **held.body,
        }
        parts = (about, held.remark, *remarks)
        self.found.add(Kind.USER, user_id, body, ", ".join(part for part in parts if part))

    def _limits(self, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Rates and allowed models as they are here, and what does not come of a row."""
        remarks, body = [], {}
        for name in ("rpm_limit", "tpm_limit"):
            value = row.get(name)
            if value:
                body[f"rate_limit_{name[:3]}"] = min(int(value), _RATE_MAX)
            elif value == 0:
                remarks.append(f"{name} 0 does not come: it blocks there")
        models, unknown = self._allowed(listed(row.get("models")))
        if models is not None:
            body["allowed_models"] = models  # type: ignore[assignment]  # a list among counts
        if unknown:
            remarks.append(f"may not use {', '.join(unknown)}, which is not known here")
        others = [name for name, value in row.items() if _stays(name, value)]
        if others:
            remarks.append(f"without {', '.join(others)}")
        return body, remarks

    def _allowed(self, names: list[Any]) -> tuple[list[str] | None, list[str]]:
        """What an allow-list is here, None for everything, and what of it is not known."""
        if not names or _EVERY & set(map(str, names)):
            return None, []
        allowed, unknown = [], []
        for name in map(str, names):
            here = name.replace("/", ":", 1)
            if here in self.aliases:
                allowed.append(here)
            elif "/" in name and (model := model_here(name)) is not None:
                allowed.append(model)
            elif name != _NONE:
                unknown.append(name)
        return allowed, unknown


def read_database(database: Database, found: Findings, aliases: frozenset[str], zone: str) -> None:
    """What a database holds.

    Args:
        aliases: names that callers may use here, those of earlier sources included.
        zone: where its budgets' days begin.

    Raises:
        Failed: it is not LiteLLM's.
    """
    if _KEYS not in database.tables:
        raise Failed(
            f"{database.name} is no database of LiteLLM: it has no table {_KEYS!r}", WRONG_USAGE
        )
    reader = _Reader(found, aliases, zone, datetime.now(UTC))
    for row in database.rows(_TEAMS):
        reader.team(row)
    for row in database.rows(_USERS):
        reader.user(row)
    budgets = {row["budget_id"]: row for row in database.rows(_BUDGETS)}
    for row in database.rows(_KEYS):
        reader.key(row, budgets)
    _leave_out(database, found)


def _limits(row: Mapping[str, Any], budget: Mapping[str, Any]) -> dict[str, Any]:
    """A key's limits where a shared budget sets what the key itself leaves open."""
    return {name: value for name, value in budget.items() if row.get(name) in (None, *_EMPTY)}


def _stays(name: str, value: Any) -> bool:
    """Whether a column says something that does not come, also one that is newer than this."""
    if name in _CARRIED or name in _UNLIMITING or value in (None, "", 0, *_EMPTY):
        return False
    return name != "allowed_routes" or listed(value) != _MODELS_ROUTES


def _leave_out(database: Database, found: Findings) -> None:
    for table, (what, why) in _TABLES_NOT_HERE.items():
        count = database.count(table)
        if count:
            found.cannot("table", f"{count} {what}", why)
    members = [row for row in database.rows("LiteLLM_TeamMembership") if row.get("budget_id")]
    if members:
        why = "a team's members have no budgets of their own in it"
        found.cannot("table", f"{len(members)} memberships", why)
    count = database.count("LiteLLM_SpendLogs")
    if count:
        found.skip("usage", f"{count} records", "history stays in the old database")
