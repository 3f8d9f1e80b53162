"""Recovery keys: a way into an account whose password is lost, to be written on paper.

160 random bits in Crockford's base32, whose alphabet has no I, L, O or U, in groups of four with a
checksum that finds slips of the pen.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from bursar.vault.errors import InvalidKey
from bursar.vault.passwords import PasswordKeys, split_secret

_PREFIX = "bursar-recovery-"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_BITS_EACH = 5
_SECRET_BYTES = 20
_SECRET_CHARACTERS = 32
_CHECKSUM_CHARACTERS = 4
_GROUP = 4
_CHECKSUM_LABEL = b"bursar vault recovery checksum v1"
_LOGIN_LABEL = b"bursar vault recovery login v1"
_WRAPPING_LABEL = b"bursar vault recovery wrapping v1"


def new_recovery_key() -> str:
    """Make a recovery key, to be shown once and kept by nobody but its owner."""
    return _text(secrets.token_bytes(_SECRET_BYTES))


def recovery_keys(text: str) -> PasswordKeys:
    """Derive the same two secrets from a recovery key as from a password.

    Case, blanks and dashes do not matter; O is read as 0, I and L as 1. Argon2id is not needed:
    nobody guesses 160 random bits.

    Raises:
        InvalidKey: another length or character, or the checksum does not fit.
    """
    return split_secret(_secret(text), _LOGIN_LABEL, _WRAPPING_LABEL)


def _text(secret: bytes) -> str:
    number = int.from_bytes(secret, "big")
    characters = _characters(number, _SECRET_CHARACTERS)
    characters += _characters(_checksum(secret), _CHECKSUM_CHARACTERS)
    groups = [characters[at : at + _GROUP] for at in range(0, len(characters), _GROUP)]
    return _PREFIX + "-".join(groups)


def _secret(text: str) -> bytes:
    values = [_VALUES.get(character) for character in _without_prefix(text)]
    known = [value for value in values if value is not None]
    if len(values) != _SECRET_CHARACTERS + _CHECKSUM_CHARACTERS or len(known) != len(values):
        raise InvalidKey("a recovery key is bursar-recovery- and nine groups of four characters")
    secret = _number(known[:_SECRET_CHARACTERS]).to_bytes(_SECRET_BYTES, "big")
    if _number(known[_SECRET_CHARACTERS:]) != _checksum(secret):
        raise InvalidKey("a character of this recovery key is wrong")
    return secret


def _without_prefix(text: str) -> str:
    compact = re.sub(r"[\s-]", "", text).upper()
    prefix = _PREFIX.replace("-", "").upper()
    return compact.removeprefix(prefix) if compact.startswith(prefix) else ""


def _checksum(secret: bytes) -> int:
    """The first 20 bits of a hash: one mistake in a million goes unnoticed."""
    digest = hashlib.sha256(_CHECKSUM_LABEL + secret).digest()
    return int.from_bytes(digest, "big") >> (8 * len(digest) - _BITS_EACH * _CHECKSUM_CHARACTERS)


def _number(values: list[int]) -> int:
    number = 0
    for value in values:
        number = (number << _BITS_EACH) | value
    return number


def _characters(number: int, count: int) -> str:
    shifts = range(_BITS_EACH * (count - 1), -1, -_BITS_EACH)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in shifts)
