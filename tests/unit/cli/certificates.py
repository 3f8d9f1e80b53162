"""An authority that signs servers' certificates for a test."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """Signs certificates of 127.0.0.1.

    Attributes:
        file: its own certificate.
    """

    folder: Path
    key: ec.EllipticCurvePrivateKey
    file: Path

    @classmethod
    def made(cls, folder: Path) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        own = _certificate("authority", key, key, days=9, is_authority=True)
        file = folder / "authority.pem"
        file.write_bytes(own.public_bytes(serialization.Encoding.PEM))
        return cls(folder, key, file)

    def context(self, name: str = "127.0.0.1", *, days: int = 9) -> ssl.SSLContext:
        """What a server of that name needs."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, key, self.key, days=days)
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    days: int,
    is_authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    told = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    issuer = [x509.NameAttribute(NameOID.COMMON_NAME, "authority")]
    names: list[x509.GeneralName] = (
        [x509.IPAddress(ip_address(name))] if name[0].isdigit() else [x509.DNSName(name)]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name(told))
        .issuer_name(x509.Name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
