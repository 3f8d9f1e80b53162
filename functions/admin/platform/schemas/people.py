from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from bursar.domain.people import Membership, Person, Role
from bursar.services.platform.people import DerivedSecrets, RecoverySecrets
from bursar.services.platform.sign_in import SignedIn
from functions.admin.platform.schemas.fields import Email, PublicKeyText, Secret, Timestamp
from functions.admin.platform.schemas.passwords import NewLoginValue, NewPassword, WrappedKey
from functions.admin.schemas.examples import examples

_DERIVED_EXAMPLE = {
    "kdf": "argon2id$m=65536,t=3,p=1$MDEyMzQ1Njc4OWFiY2RlZg==",
    "login_value": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "wrapped_account_key": "bursar.account.v1." + "A" * 96,
}
_KEY_EXAMPLE = {
    **_DERIVED_EXAMPLE,
    "account_public_key": "whNl8wjy3ZWCS6GmErFY+GUiryKfSKA0aQTfseFuJHg=",
    "recovery_login_value": "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=",
    "recovery_wrapped_account_key": "bursar.account.v1." + "B" * 96,
}


class Derived(BaseModel):
    """What a client of Bursar's own derived from a new password."""

    model_config = examples(_DERIVED_EXAMPLE)

    kdf: str = Field(max_length=200, description="The parameters that the password went through.")
    login_value: NewLoginValue
    wrapped_account_key: WrappedKey

    def secrets(self) -> DerivedSecrets:
        return DerivedSecrets(
            self.kdf, self.login_value.get_secret_value(), self.wrapped_account_key
        )


class WithKey(Derived):
    """The same, with the account's public key and what the recovery key yields."""

    model_config = examples(_KEY_EXAMPLE)

    account_public_key: PublicKeyText
    recovery_login_value: NewLoginValue
    recovery_wrapped_account_key: WrappedKey

    def recovery(self) -> RecoverySecrets:
        value = self.recovery_login_value.get_secret_value()
        return RecoverySecrets(value, self.recovery_wrapped_account_key)


class AccountCreate(BaseModel):
    """A new account: either a password, or what was derived from one that stays elsewhere."""

    model_config = examples(
        {"email": "ada@example.com", "password": "correct horse battery staple"},
        {"email": "ada@example.com", **_KEY_EXAMPLE},
    )

    email: Email
    password: NewPassword | None = Field(
        None, description="At least 12 characters. The server derives from it and keeps none of it."
    )
    derived: WithKey | None = Field(
        None, description="In the password's place. These fields may stand beside the email, too."
    )

    @model_validator(mode="before")
    @classmethod
    def _nest(cls, values: Any) -> Any:
        return _nested(values, "email", "password")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.password is None) == (self.derived is None):
            raise ValueError("Give a password, or what was derived from one")
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
    """Some of the accounts, and how many there are."""

    data: list[AccountAnswer]
    count: int


class PasswordChange(BaseModel):
    """Another password: both as they are, or what they yield."""

    model_config = examples(
        {"current_password": "correct horse battery", "new_password": "staple battery horse"},
        {"current_login_value": _KEY_EXAMPLE["recovery_login_value"], **_DERIVED_EXAMPLE},
    )

    current_password: Secret | None = None
    new_password: NewPassword | None = None
    current_login_value: Secret | None = None
    derived: Derived | None = Field(
        None, description="These fields may stand beside `current_login_value`, too."
    )

    @model_validator(mode="before")
    @classmethod
    def _nest(cls, values: Any) -> Any:
        return _nested(values, "current_login_value", "current_password", "new_password")

    @model_validator(mode="after")
    def _check(self) -> Self:
        plain = (self.current_password is not None, self.new_password is not None)
        derived = (self.current_login_value is not None, self.derived is not None)
        if {plain, derived} != {(True, True), (False, False)}:
            raise ValueError("Give both passwords, or what they yield")
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
    recovery_login_value_new: NewLoginValue
    recovery_wrapped_account_key: WrappedKey

    def recovery(self) -> RecoverySecrets:
        value = self.recovery_login_value_new.get_secret_value()
        return RecoverySecrets(value, self.recovery_wrapped_account_key)


class LoginParametersRequest(BaseModel):
    """Whose password is to be stretched."""

    email: Email


class LoginParameters(BaseModel):
    """How a password is to be stretched."""

    kdf: str


class DerivedLogin(BaseModel):
    """Who signs in, and what their password yields."""

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

    model_config = examples({"email": "grace@example.com", "role": "member"})

    email: Email
    role: Role = Role.MEMBER


class MemberPatch(BaseModel):
    """Another role."""

    model_config = examples({"role": "read_only"})

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
    """Who belongs to a project."""

    data: list[MemberAnswer]
    count: int


def _nested(values: Any, *beside: str) -> Any:
    """Put the fields of `derived`, which may stand beside the others, where the model has them."""
    if not isinstance(values, dict) or "login_value" not in values:
        return values
    return {name: values[name] for name in beside if name in values} | {"derived": values}
