from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, Field, StrictBool, StringConstraints

from bursar.domain.keys import VirtualKey
from bursar.services.platform.project_keys import ProjectKeyRequest
from functions.admin.platform.schemas.fields import Timestamp, Uuid
from functions.admin.platform.schemas.vault import SHARE_EXAMPLE, GraceS, VaultShareBody
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import Instant, ModelPatterns, Name, PerMinute
from functions.admin.schemas.patch import Patch

_Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

_EXAMPLE_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_DIGEST = "SHA-256 of the virtual key's text in lower-case hex. The text is never sent here."
_ALLOWED_MODELS = (
    "Patterns of the models the key may use, in which `*` and `?` stand for anything, as in "
    "`openai:gpt-4o*`; null allows every model, an empty list none. "
    "An alias that is named exactly brings its models along."
)
_CLIENT_ID = "The client that it spends for; null leaves that to each request."


class ProjectKeyCreate(BaseModel):
    """A virtual key that was made on its administrator's machine."""

    model_config = examples(
        {"key_name": "search service", "digest": _EXAMPLE_DIGEST, "share": SHARE_EXAMPLE}
    )

    digest: _Digest = Field(description=_DIGEST)
    share: VaultShareBody
    key_name: Name | None = Field(None, description="What it is for.")
    client_id: Uuid | None = Field(None, description=_CLIENT_ID)
    expires_at: Instant | None = Field(None, description="When it stops working.")
    allowed_models: ModelPatterns | None = Field(None, description=_ALLOWED_MODELS)
    rate_limit_rpm: PerMinute | None = Field(None, description="Requests a minute.")
    rate_limit_tpm: PerMinute | None = Field(None, description="Tokens a minute.")

    def request(self) -> ProjectKeyRequest:
        return ProjectKeyRequest(
            digest=self.digest,
            share=self.share.share(),
            key_name=self.key_name,
            client_id=self.client_id,
            expires_at=self.expires_at,
            allowed_models=self.allowed_models,
            rate_limit_rpm=self.rate_limit_rpm,
            rate_limit_tpm=self.rate_limit_tpm,
        )


class ProjectKeyPatch(Patch):
    """Changes to a key: an absent field is left alone, `null` clears one."""

    model_config = examples({"is_active": False})
    not_clearable: ClassVar[frozenset[str]] = frozenset({"is_active"})

    key_name: Name | None = None
    is_active: StrictBool | None = Field(
        None, description="An inactive key is refused. `null` leaves it as it is."
    )
    client_id: Uuid | None = Field(None, description=_CLIENT_ID)
    expires_at: Instant | None = Field(None, description="`null`: never.")
    allowed_models: ModelPatterns | None = Field(None, description=_ALLOWED_MODELS)
    rate_limit_rpm: PerMinute | None = None
    rate_limit_tpm: PerMinute | None = None


class ProjectKeyRotate(BaseModel):
    """Another text for a virtual key, made where the first one was."""

    model_config = examples(
        {"digest": _EXAMPLE_DIGEST, "share": SHARE_EXAMPLE, "grace_period_sec": 86400}
    )

    digest: _Digest = Field(description=_DIGEST)
    share: VaultShareBody
    grace_period_sec: GraceS = Field(
        default=0, description="How much longer the replaced text works."
    )


class ProjectKeyAnswer(BaseModel):
    """A virtual key's record; the key itself was never here."""

    model_config = examples(
        {
            "id": "0b8f9d5e-6a43-4c0e-9f0b-3c1b0a6f4b53",
            "project_id": "550e8400-e29b-41d4-a716-446655440000",
            "client_id": None,
            "key_name": "search service",
            "is_active": True,
            "created_at": "2026-01-31T12:00:00.000000Z",
            "last_used_at": None,
            "expires_at": None,
            "allowed_models": ["openai:gpt-4o*"],
            "rate_limit_rpm": 60,
            "rate_limit_tpm": None,
            "previous_key_valid_until": None,
        }
    )

    id: str
    project_id: str
    client_id: str | None = Field(description=_CLIENT_ID)
    key_name: str | None
    is_active: bool
    created_at: Timestamp
    last_used_at: Timestamp | None
    expires_at: Timestamp | None
    allowed_models: tuple[str, ...] | None
    rate_limit_rpm: int | None
    rate_limit_tpm: int | None
    previous_key_valid_until: Timestamp | None = Field(
        description="Until when the text that the last rotation replaced works."
    )

    @classmethod
    def of(cls, key: VirtualKey) -> Self:
        return cls(
            id=key.key_id,
            project_id=key.project_id or "",
            client_id=key.client_id,
            key_name=key.key_name,
            is_active=key.is_active,
            created_at=key.created_at,
            last_used_at=key.last_used_at,
            expires_at=key.expires_at,
            allowed_models=key.allowed_models,
            rate_limit_rpm=key.rate_limit_rpm,
            rate_limit_tpm=key.rate_limit_tpm,
            previous_key_valid_until=key.previous_valid_until,
        )


class ProjectKeyList(BaseModel):
    """A page of a project's virtual keys, and how many there are in all."""

    data: list[ProjectKeyAnswer]
    count: int

    @classmethod
    def of(cls, keys: Sequence[VirtualKey], count: int) -> Self:
        return cls(data=[ProjectKeyAnswer.of(key) for key in keys], count=count)
