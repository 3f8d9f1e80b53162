from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, Field, StrictBool, model_validator

from bursar.domain.money import ZERO
from bursar.services.admin_keys import ForeignKey, KeyRequest
from bursar.services.key_standings import KeyStanding
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import (
    BudgetId,
    Instant,
    Integer,
    Metadata,
    ModelPatterns,
    Name,
    PerMinute,
    Usd,
    UserId,
)
from functions.admin.schemas.moved import (
    BUDGET_STARTED_AT,
    IS_FOREIGN,
    KEY_DIGEST,
    OWN_ID,
    SPEND,
    KeyDigest,
    RecordId,
    SpentUsd,
)
from functions.admin.schemas.patch import Patch

_GRACE_S_MAX = 30 * 24 * 60 * 60

_ALLOWED_MODELS = (
    "Patterns of the models the key may use, in which `*` and `?` stand for anything, as in "
    "`openai:gpt-4o*`; null allows every model, an empty list none. "
    "An alias that is named exactly brings its models along."
)
_EXAMPLE = {
    "id": "0b8f9d5e-6a43-4c0e-9f0b-3c1b0a6f4b53",
    "key_name": "search service",
    "user_id": "alice",
    "project_id": None,
    "client_id": None,
    "created_at": "2026-01-31T12:00:00Z",
    "last_used_at": None,
    "expires_at": "2027-01-31T12:00:00Z",
    "is_active": True,
    "metadata": {"team": "search"},
    "allowed_models": ["openai:gpt-4o*"],
    "budget_id": None,
    "spend": None,
    "next_budget_reset_at": None,
    "rate_limit_rpm": 60,
    "rate_limit_tpm": None,
    "previous_key_valid_until": None,
}


class KeyCreate(BaseModel):
    """A new virtual key."""

    model_config = examples({"key_name": "search service", "user_id": "alice"})

    key_name: Name | None = Field(None, description="What it is for.")
    user_id: UserId | None = Field(
        None,
        description="Who it spends for. An unknown user is created; "
        "without one the key gets a virtual user of its own, `apikey-<id>`.",
    )
    expires_at: Instant | None = Field(None, description="When it stops working.")
    metadata: Metadata = Field(default_factory=dict, description="Kept and given back.")
    allowed_models: ModelPatterns | None = Field(None, description=_ALLOWED_MODELS)
    budget_id: BudgetId | None = Field(
        None, description="A budget of the key's own, beside its user's."
    )
    rate_limit_rpm: PerMinute | None = Field(None, description="Requests a minute.")
    rate_limit_tpm: PerMinute | None = Field(None, description="Tokens a minute.")
    is_active: StrictBool = Field(default=True, description="An inactive key is refused.")
    key_digest: KeyDigest | None = Field(None, description=KEY_DIGEST)
    is_foreign: StrictBool = Field(default=False, description=IS_FOREIGN)
    id: RecordId | None = Field(None, description=OWN_ID)
    budget_started_at: Instant | None = Field(None, description=BUDGET_STARTED_AT)
    spend: SpentUsd = Field(ZERO, description=SPEND)

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.key_digest is None and (self.is_foreign or self.id is not None):
            raise ValueError("'id' and 'is_foreign' are for a key that 'key_digest' takes over")
        return self

    def request(self) -> KeyRequest:
        given = {name: getattr(self, name) for name in type(self).model_fields}
        for name in ("id", "key_digest", "is_foreign"):
            del given[name]
        return KeyRequest(spend_usd=given.pop("spend"), **given)

    def foreign(self) -> ForeignKey | None:
        """The key to be taken over instead of issuing one."""
        if self.key_digest is None:
            return None
        return ForeignKey(self.key_digest, self.id, has_other_format=self.is_foreign)


class KeyPatch(Patch):
    """Changes to a key: an absent field is left alone, `null` clears one."""

    model_config = examples({"is_active": False})
    not_clearable: ClassVar[frozenset[str]] = frozenset({"is_active"})

    key_name: Name | None = None
    is_active: StrictBool | None = Field(
        None, description="An inactive key is refused. `null` leaves it as it is."
    )
    expires_at: Instant | None = Field(None, description="`null`: never.")
    metadata: Metadata | None = None
    allowed_models: ModelPatterns | None = Field(None, description=_ALLOWED_MODELS)
    budget_id: BudgetId | None = Field(
        None,
        description="Another budget begins a period of its own; what was spent is carried over.",
    )
    rate_limit_rpm: PerMinute | None = None
    rate_limit_tpm: PerMinute | None = None


class KeyRotate(BaseModel):
    """How to replace a key."""

    model_config = examples({"grace_period_sec": 86400})

    grace_period_sec: Annotated[Integer, Field(ge=0, le=_GRACE_S_MAX)] = Field(
        default=0, description="How much longer the replaced key works, at most 30 days."
    )


class KeyAnswer(BaseModel):
    """A key's record, without the key."""

    model_config = examples(_EXAMPLE)

    id: str
    key_name: str | None
    user_id: str
    project_id: str | None = Field(description="Whose vault it opens and whose budgets it spends.")
    client_id: str | None = Field(description="The project's client that it spends for.")
    created_at: Instant
    last_used_at: Instant | None
    expires_at: Instant | None
    is_active: bool
    metadata: dict[str, Any]
    allowed_models: tuple[str, ...] | None
    budget_id: str | None
    spend: Usd | None = Field(
        description="US dollars spent in the current period of the key's own budget; null where "
        "it has none, or shares a pool."
    )
    next_budget_reset_at: Instant | None = Field(description="When that period ends.")
    rate_limit_rpm: int | None
    rate_limit_tpm: int | None
    previous_key_valid_until: Instant | None = Field(
        description="Until when the key that the last rotation replaced works."
    )

    @classmethod
    def of(cls, standing: KeyStanding) -> Self:
        return cls(**_answer_fields(standing))


class IssuedKeyAnswer(KeyAnswer):
    """A key's record with the key, which is shown this once and not kept."""

    model_config = examples({**_EXAMPLE, "key": "gw-" + "0123456789abcdef" * 4})

    key: str = Field(description="The virtual key: 67 characters beginning with `gw-`.")

    @classmethod
    def issued(cls, virtual_key: str, standing: KeyStanding) -> Self:
        return cls(key=virtual_key, **_answer_fields(standing))


def _answer_fields(standing: KeyStanding) -> dict[str, Any]:
    record = standing.key
    return {
        "id": record.key_id,
        "key_name": record.key_name,
        "user_id": record.user_id,
        "project_id": record.project_id,
        "client_id": record.client_id,
        "created_at": record.created_at,
        "last_used_at": record.last_used_at,
        "expires_at": record.expires_at,
        "is_active": record.is_active,
        "metadata": dict(record.metadata),
        "allowed_models": record.allowed_models,
        "budget_id": record.budget_id,
        "spend": standing.spend_usd,
        "next_budget_reset_at": standing.next_reset_at,
        "rate_limit_rpm": record.rate_limit_rpm,
        "rate_limit_tpm": record.rate_limit_tpm,
        "previous_key_valid_until": record.previous_valid_until,
    }
