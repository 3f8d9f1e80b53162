from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from bursar.domain.people import Membership, Person, Role
from bursar.services.platform.people import DerivedSecrets, RecoverySecrets
from bursar.services.platform.sign_in import SignedIn
from functions.admin.platform.schemas.fields import Email, PublicKeyText, Secret, Timestamp

_PASSWORD_CHARS_MIN = 12


class Derived(BaseModel):
    """What a client of Bursar's own derived from a new password."""

    kdf: str = Field(max_length=200, description="The parameters that the password went through.")
    login_value: Secret
    wrapped_account_key: str = Field(max_length=200)

    def secrets(self) -> DerivedSecrets:
        return DerivedSecrets(
            self.kdf, self.login_value.get_secret_value(), self.wrapped_account_key
        )


class WithKey(Derived):
    """The same, with the account's public key and what the recovery key yields."""

    account_public_key: PublicKeyText
    recovery_login_value: Secret
    recovery_wrapped_account_key: str = Field(max_length=200)

    def recovery(self) -> RecoverySecrets:
        value = self.recovery_login_value.get_secret_value()
        return RecoverySecrets(value, self.recovery_wrapped_account_key)


class AccountCreate(BaseModel):
    """A new account: either a password, or what was derived from one that stays elsewhere."""

    email: Email
    password: Secret | None = Field(
        None, description="At least 12 characters. The server derives from it and keeps none of it."
    )
    derived: WithKey | None = None

    @model_validator(mode="before")
    @classmethod
    def _nest(cls, values: Any) -> Any:
        """The fields of `derived` may stand beside the email."""
        if isinstance(values, dict) and "login_value" in values:
            return {"email": values.get("email"), "derived": values}
        return values

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.password is None) == (self.derived is None):
            raise ValueError("Give a password, or what was derived from one")
        if self.password and len(self.password.get_secret_value()) < _PASSWORD_CHARS_MIN:
            raise ValueError(f"A password has at least {_PASSWORD_CHARS_MIN} characters")
        return self


class AccountAnswer(BaseModel):
    """Somebody's account."""

    id: str
    email: str
    account_public_key: str | None = Field(description="What vaults are shared with them by.")
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, person: Person) -> Self:
        return cls(
            id=person.person_id,
            email=person.email,
            account_public_key=person.account_public_key,
            created_at=person.created_at,
            updated_at=person.updated_at,
        )


class AccountList(BaseModel):
    data: list[AccountAnswer]
    count: int


class PasswordChange(BaseModel):
    """Another password: both as they are, or what they yield."""

    current_password: Secret | None = None
    new_password: Secret | None = None
    current_login_value: Secret | None = None
    derived: Derived | None = None

    @model_validator(mode="before")
    @classmethod
    def _nest(cls, values: Any) -> Any:
        if isinstance(values, dict) and "login_value" in values:
            known = values.get("current_login_value")
            return {"current_login_value": known, "derived": values}
        return values

    @model_validator(mode="after")
    def _check(self) -> Self:
        plain = self.current_password is not None and self.new_password is not None
        derived = self.current_login_value is not None and self.derived is not None
        if plain == derived:
            raise ValueError("Give both passwords, or what they yield")
        if self.new_password and len(self.new_password.get_secret_value()) < _PASSWORD_CHARS_MIN:
            raise ValueError(f"A password has at least {_PASSWORD_CHARS_MIN} characters")
        return self


class KeyAddition(WithKey):
    """An account key for somebody who had none."""

    current_login_value: Secret


class RecoveryProof(BaseModel):
    """What the recovery key yields."""

    email: Email
    recovery_login_value: Secret


class RecoveryStart(BaseModel):
    """What only the recovery key opens."""

    recovery_wrapped_account_key: str
    account_public_key: str


class Recovery(Derived):
    """A new password and a new recovery key, for who has shown the old one."""

    email: Email
    recovery_login_value: Secret
    recovery_login_value_new: Secret
    recovery_wrapped_account_key: str = Field(max_length=200)

    def recovery(self) -> RecoverySecrets:
        value = self.recovery_login_value_new.get_secret_value()
        return RecoverySecrets(value, self.recovery_wrapped_account_key)


class LoginParametersRequest(BaseModel):
    email: Email


class LoginParameters(BaseModel):
    """How a password is to be stretched."""

    kdf: str


class DerivedLogin(BaseModel):
    email: Email
    login_value: Secret


class TokenAnswer(BaseModel):
    """A token that stands for a person."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (a scheme's name)
    expires_in: int = Field(description="Seconds.")
    account_public_key: str | None = None
    wrapped_account_key: str | None = Field(
        None, description="The account's key, which only the password's other value unwraps."
    )

    @classmethod
    def of(cls, signed_in: SignedIn) -> Self:
        return cls(
            access_token=signed_in.token,
            expires_in=signed_in.expires_in_s,
            account_public_key=signed_in.person.account_public_key,
            wrapped_account_key=signed_in.person.wrapped_account_key,
        )


class MemberAdd(BaseModel):
    """Somebody with an account, and what they may do."""

    email: Email
    role: Role = Role.MEMBER


class MemberPatch(BaseModel):
    role: Role


class MemberAnswer(BaseModel):
    """Somebody who belongs to a project."""

    person_id: str
    email: str
    role: Role
    account_public_key: str | None
    created_at: Timestamp

    @classmethod
    def of(cls, membership: Membership, person: Person) -> Self:
        return cls(
            person_id=person.person_id,
            email=person.email,
            role=membership.role,
            account_public_key=person.account_public_key,
            created_at=membership.created_at,
        )


class MemberList(BaseModel):
    data: list[MemberAnswer]
    count: int
