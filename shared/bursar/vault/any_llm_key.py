"""The any-llm platform's `ANY_LLM_KEY`: a project's private key as one line of text."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from bursar.vault.encoding import from_base64, to_base64
from bursar.vault.errors import InvalidKey
from bursar.vault.keys import PrivateKey

_KEY = re.compile(r"ANY\.v1\.([^.]+)\.([^-]+)-(.+)")
_ANY_VERSION = re.compile(r"ANY\.v[0-9]+\.")
_KEY_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class AnyLlmKey:
    """A private key and the name it was issued under.

    Attributes:
        key_id: any text without a dot; 8 hex digits in keys that were generated.

    Raises:
        InvalidKey: an id that the text could not carry.
    """

    key_id: str
    private_key: PrivateKey

    def __post_init__(self) -> None:
        if not self.key_id or "." in self.key_id:
            raise InvalidKey("the id of an ANY_LLM_KEY has at least one character and no dot")

    @classmethod
    def generate(cls) -> AnyLlmKey:
        return cls(secrets.token_hex(_KEY_ID_BYTES), PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> AnyLlmKey:
        """Read `ANY.v1.<id>.<fingerprint>-<private key in base64>`.

        The fingerprint is not compared with the key: no client does, and keys with a wrong one are
        in use, in the clients' own tests at least.

        Raises:
            InvalidKey: anything else.
        """
        match = _KEY.fullmatch(text)
        raw = from_base64(match[3]) if match else None
        if match is None or raw is None:
            raise InvalidKey("an ANY_LLM_KEY is ANY.v1.<id>.<fingerprint>-<base64>")
        return cls(match[1], PrivateKey(raw))

    def text(self) -> str:
        """Write the whole key, secret included, with the fingerprint that belongs to it.

        A method, and not `str`, so that no log line or message shows a key by accident.
        """
        fingerprint = self.private_key.public.fingerprint
        return f"ANY.v1.{self.key_id}.{fingerprint}-{to_base64(self.private_key.raw)}"


def is_any_llm_key(text: str) -> bool:
    """Tell an ANY_LLM_KEY of any version by its beginning, without reading the rest."""
    return _ANY_VERSION.match(text) is not None
