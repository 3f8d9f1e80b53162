"""Texts of the vault that clients send, checked as far as somebody can who opens none of them."""

from __future__ import annotations

from bursar.domain.errors import InvalidRequest
from bursar.vault import CannotOpen, InvalidKey, PublicKey, format_of


def public_key_text(text: str, param: str) -> str:
    """A public key in its only notation.

    Raises:
        InvalidRequest: no key, or one that protects nothing; `param` names the field.
    """
    try:
        return str(PublicKey.parse(text))
    except InvalidKey as error:
        raise InvalidRequest(f"That is no public key: {error}", param=param) from None


def check_sealed_key(text: str) -> None:
    """Check that a provider key is sealed, so that none is stored in the open by mistake.

    Raises:
        InvalidRequest: neither of format v1 nor of v2.
    """
    try:
        format_of(text)
    except CannotOpen:
        message = "That is no sealed key: the gateway takes none in the open"
        raise InvalidRequest(message, param="encrypted_key") from None
