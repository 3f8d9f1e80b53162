"""Passwords, and what clients derive from them, when they are set."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr, StringConstraints, WithJsonSchema

_PASSWORD_CHARS = range(12, 1025)
_LOGIN_VALUE = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


def _password(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) not in _PASSWORD_CHARS:
        raise ValueError("A password has 12 to 1024 characters")
    return value


def _login_value(value: SecretStr) -> SecretStr:
    if not _LOGIN_VALUE.fullmatch(value.get_secret_value()):
        raise ValueError("A login value is 32 bytes in base64, derived from a password")
    return value


def _schema(**constraints: object) -> WithJsonSchema:
    return WithJsonSchema(
        {"type": "string", "format": "password", "writeOnly": True, **constraints}
    )


NewPassword = Annotated[
    SecretStr,
    AfterValidator(_password),
    _schema(minLength=_PASSWORD_CHARS[0], maxLength=_PASSWORD_CHARS[-1]),
]

NewLoginValue = Annotated[
    SecretStr, AfterValidator(_login_value), _schema(pattern=f"^{_LOGIN_VALUE.pattern}$")
]
"""Its form keeps a client from storing a password in its place, which nothing would stretch."""

WrappedKey = Annotated[str, StringConstraints(pattern=r"^bursar\.account\.v1\.[A-Za-z0-9+/]{96}$")]
"""An account's private key, wrapped where the password is known; 72 bytes in base64."""
