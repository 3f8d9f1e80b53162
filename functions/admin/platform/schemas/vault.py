from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints

from bursar.domain.projects import Project, VaultShare
from bursar.services.platform.issuing import HolderShare
from bursar.services.platform.rekeying import Resealed
from bursar.services.platform.vault_rotation import ResealedShare, VaultRotationRequest
from functions.admin.platform.schemas.fields import PublicKeyText, SealedText, Timestamp, Uuid
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import Integer

_BASE64 = r"[A-Za-z0-9+/]+={0,2}$"
_SealedShare = Annotated[
    str, StringConstraints(pattern=r"^bursar\.share\.v1\." + _BASE64, max_length=500)
]
_Voucher = Annotated[
    str, StringConstraints(pattern=r"^bursar\.voucher\.v1\." + _BASE64, max_length=200)
]
_GRACE_S_MAX = 10**9
GraceS = Annotated[Integer, Field(ge=0, le=_GRACE_S_MAX)]

_KEY = "whNl8wjy3ZWCS6GmErFY+GUiryKfSKA0aQTfseFuJHg="
_SEALED = "bursar.share.v1." + "A" * 108
_VOUCHER = "bursar.voucher.v1." + "A" * 43 + "="
SHARE_EXAMPLE = {"public_key": _KEY, "sealed": _SEALED, "voucher": _VOUCHER}
_SEALED_DESCRIPTION = "The vault's private key, sealed for the holder on somebody's machine."
_VOUCHER_DESCRIPTION = "Proves that whoever added the holder could open the vault."


class VaultShareBody(BaseModel):
    """A vault's key, sealed for one holder."""

    model_config = examples(SHARE_EXAMPLE)

    public_key: PublicKeyText = Field(description="The holder's, in standard base64.")
    sealed: _SealedShare = Field(description=_SEALED_DESCRIPTION)
    voucher: _Voucher = Field(description=_VOUCHER_DESCRIPTION)

    def share(self) -> HolderShare:
        return HolderShare(self.public_key, self.sealed, self.voucher)


class VaultShareAnswer(BaseModel):
    """A share of a vault."""

    holder_id: str = Field(description="`person/<account id>`, or `key/<digest>`.")
    public_key: str
    sealed: str = Field(description=_SEALED_DESCRIPTION)
    voucher: str = Field(description=_VOUCHER_DESCRIPTION)
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, share: VaultShare) -> Self:
        return cls(
            holder_id=share.holder_id,
            public_key=share.public_key,
            sealed=share.sealed,
            voucher=share.voucher,
            created_at=share.created_at,
            updated_at=share.updated_at,
        )


class VaultAnswer(BaseModel):
    """A project's vault: its public key, and who can open it."""

    encryption_key: str | None
    previous_encryption_key: str | None
    previous_valid_until: Timestamp | None = Field(description="Until when that one works.")
    shares: list[VaultShareAnswer]
    my_share: VaultShareAnswer | None = Field(description="Yours, if the vault is shared with you.")

    @classmethod
    def of(cls, project: Project, shares: Sequence[VaultShare], my_holder_id: str) -> Self:
        answers = [VaultShareAnswer.of(share) for share in shares]
        mine = [share for share in answers if share.holder_id == my_holder_id]
        return cls(
            encryption_key=project.encryption_key,
            previous_encryption_key=project.previous_encryption_key,
            previous_valid_until=project.previous_valid_until,
            shares=answers,
            my_share=mine[0] if mine else None,
        )


class ResealedKeyBody(BaseModel):
    """A provider key, sealed for the new vault key."""

    id: Uuid
    encrypted_key: Annotated[SealedText, StringConstraints(min_length=1)]
    version: Annotated[Integer, Field(ge=1, lt=2**53)] = Field(
        description="One more than its present one."
    )

    def resealed(self) -> Resealed:
        return Resealed(self.id, self.encrypted_key, self.version)


class ResealedShareBody(BaseModel):
    """The new vault key, sealed for a holder."""

    holder_id: Annotated[str, StringConstraints(max_length=200)]
    sealed: _SealedShare = Field(description=_SEALED_DESCRIPTION)
    voucher: _Voucher = Field(description=_VOUCHER_DESCRIPTION)


class VaultRotate(BaseModel):
    """A new key for a vault, and everything in it sealed anew."""

    model_config = examples(
        {
            "encryption_key": _KEY,
            "provider_keys": [],
            "shares": [{"holder_id": "person/1", "sealed": _SEALED, "voucher": _VOUCHER}],
            "grace_period_sec": 86400,
        }
    )

    encryption_key: PublicKeyText = Field(description="The new public key.")
    provider_keys: list[ResealedKeyBody] = Field(
        description="Every provider key that is sealed for the present key, archived ones too."
    )
    shares: list[ResealedShareBody] = Field(description="One for every present holder.")
    grace_period_sec: GraceS = Field(
        default=0, description="How much longer the present key works for clients that have it."
    )

    def request(self) -> VaultRotationRequest:
        return VaultRotationRequest(
            self.encryption_key,
            [key.resealed() for key in self.provider_keys],
            {each.holder_id: ResealedShare(each.sealed, each.voucher) for each in self.shares},
            self.grace_period_sec,
        )
