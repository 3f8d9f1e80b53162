from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints

from bursar.domain.projects import ProviderKey
from bursar.vault import format_of
from functions.admin.platform.schemas.fields import SealedText, Timestamp, Uuid
from functions.admin.schemas.examples import examples

_Provider = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
_SEALED = (
    "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF/CzYpHRcu+puwT+uwAo3sqlr8w+F+EPjCP/5a/1ZfSlVehbfG+"
    "ZTd+BA=="
)
_ENCRYPTED_KEY = (
    "The provider's key, sealed on the client: format v1, or v2 for the version that it will have, "
    "which is one more than the present."
)


class ProviderKeyCreate(BaseModel):
    """A provider's key for a project's vault."""

    model_config = examples(
        {
            "project_id": "550e8400-e29b-41d4-a716-446655440000",
            "provider": "openai",
            "encrypted_key": _SEALED,
        }
    )

    project_id: Uuid
    provider: _Provider = Field(description="Its name, as in `openai`.")
    encrypted_key: SealedText = Field(
        description=f"{_ENCRYPTED_KEY} Empty for providers that need none."
    )


class ProviderKeyPatch(BaseModel):
    """Another text for a provider's key."""

    model_config = examples({"encrypted_key": _SEALED})

    encrypted_key: SealedText | None = Field(
        description=f"{_ENCRYPTED_KEY} `null` or empty leaves none."
    )


class ProviderKeyAnswer(BaseModel):
    """A provider's key, sealed."""

    model_config = examples(
        {
            "id": "0b8f9d5e-6a43-4c0e-9f0b-3c1b0a6f4b53",
            "project_id": "550e8400-e29b-41d4-a716-446655440000",
            "provider": "openai",
            "encrypted_key": _SEALED,
            "format": 1,
            "version": 1,
            "sealed_to": "whNl8wjy3ZWCS6GmErFY+GUiryKfSKA0aQTfseFuJHg=",
            "is_archived": False,
            "archived_at": None,
            "created_at": "2026-01-31T12:00:00.000000Z",
            "updated_at": None,
            "last_used_at": None,
        }
    )

    id: str
    project_id: str
    provider: str
    encrypted_key: str
    format: int | None = Field(description="Of the sealed text; null where there is none.")
    version: int = Field(description="Counts the texts, from 1; format v2 binds it.")
    sealed_to: str | None = Field(
        description="The project's encryption key when the text was written."
    )
    is_archived: bool
    archived_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp | None
    last_used_at: Timestamp | None

    @classmethod
    def of(cls, key: ProviderKey) -> Self:
        return cls(
            id=key.provider_key_id,
            project_id=key.project_id,
            provider=key.provider,
            encrypted_key=key.encrypted_key,
            format=format_of(key.encrypted_key) if key.encrypted_key else None,
            version=key.version,
            sealed_to=key.sealed_to,
            is_archived=key.archived_at is not None,
            archived_at=key.archived_at,
            created_at=key.created_at,
            updated_at=key.updated_at,
            last_used_at=key.last_used_at,
        )


class ProviderKeyList(BaseModel):
    """A project's keys."""

    data: list[ProviderKeyAnswer]
    count: int

    @classmethod
    def of(cls, keys: Sequence[ProviderKey]) -> Self:
        return cls(data=[ProviderKeyAnswer.of(key) for key in keys], count=len(keys))
