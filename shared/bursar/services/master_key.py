"""The master key, which administers the gateway."""

from __future__ import annotations

import hashlib
import hmac
import re

from bursar.domain.errors import NotConfigured, Unauthenticated, WrongSetting

_DIGEST = re.compile(r"[0-9a-f]{64}")


class MasterKey:
    """Recognises the master key by its SHA-256, so that the key itself need not be deployed.

    Args:
        digest_hex: SHA-256 of the key in hex; None where the deployment has no master key.

    Raises:
        WrongSetting: not 64 hexadecimal digits.
    """

    __slots__ = ("_digest_hex",)

    def __init__(self, digest_hex: str | None) -> None:
        if digest_hex is not None:
            digest_hex = digest_hex.strip().lower()
            if not _DIGEST.fullmatch(digest_hex):
                raise WrongSetting(
                    "BURSAR_MASTER_KEY_DIGEST must be the SHA-256 of the master key in hex, "
                    '64 digits: printf %s "$KEY" | sha256sum'
                )
        self._digest_hex = digest_hex

    @classmethod
    def of(cls, plain: str) -> MasterKey:
        """The master key whose text is known.

        Raises:
            WrongSetting: it is empty, which would open the gateway to an empty credential.
        """
        if not plain:
            raise WrongSetting("BURSAR_MASTER_KEY is empty: set a long random one, or unset it")
        return cls(_digest_of(plain))

    def matches(self, presented: str) -> bool:
        """Compare digests in constant time, which tells nothing about the key's length either."""
        if self._digest_hex is None:
            return False
        return hmac.compare_digest(_digest_of(presented), self._digest_hex)

    def check(self, presented: str) -> None:
        """Let only the master key pass.

        Raises:
            NotConfigured: there is none.
            Unauthenticated: it is another, a valid virtual key for instance.
        """
        self.check_configured()
        if not self.matches(presented):
            raise Unauthenticated("Invalid master key")

    def check_configured(self) -> None:
        """Raises NotConfigured where the deployment has no master key."""
        if self._digest_hex is None:
            raise NotConfigured(
                "Master key not configured. Set BURSAR_MASTER_KEY environment variable."
            )


def _digest_of(plain: str) -> str:
    return hashlib.sha256(plain.encode(errors="surrogateescape")).hexdigest()
