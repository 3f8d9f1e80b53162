"""Everything that can go wrong in the vault, as one tree.

    VaultError
    ├── InvalidInput     text without a UTF-8 form, or a number out of its range
    ├── InvalidKey       no key of the kind that was asked for
    ├── CannotOpen       a sealed text that this key, in this place, does not open
    ├── NotVouched       a public key that no holder of the vault's key has vouched for
    └── WeakParameters   password parameters that are too weak, too costly or malformed

No message holds a key, a plaintext or a part of one. No error is chained to another either,
because Python's own errors about encodings carry the whole text that they failed at.
"""

from __future__ import annotations

from enum import Enum


class VaultError(Exception):
    """The root. Its text is safe to show and to log."""


class InvalidInput(VaultError):
    pass


class InvalidKey(VaultError):
    pass


class Reason(Enum):
    """Why a sealed text was not opened: one message for each class of reasons."""

    MALFORMED = "not a sealed text of this format"
    REFUSED_FORMAT = "sealed in an older format than is accepted here"
    NOT_AUTHENTIC = "sealed for another key or another place, or changed since"
    NOT_TEXT = "opened, but what was sealed is no UTF-8 text"


class CannotOpen(VaultError):
    """`reason` is the class of reasons, its value the message."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class NotVouched(VaultError):
    pass


class WeakParameters(VaultError):
    pass
