from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.domain.errors import UpstreamUnreachable
from bursar.domain.upstream import Authorization, UpstreamRequest
from bursar.upstream.authorization.aws import RoleCredentials
from bursar.upstream.authorization.google import GoogleScheme
from bursar.upstream.authorization.rs256 import PrivateKey
from tests.fakes.service_account import EMAIL, key_file
from tests.fakes.token_endpoint import TokenWorld

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


@cache
def key_of(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def pem_of(key: PrivateKeyTypes, *, is_pkcs8: bool = True) -> str:
    form = serialization.PrivateFormat
    return key.private_bytes(
        serialization.Encoding.PEM,
        form.PKCS8 if is_pkcs8 else form.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@cache
def usual_pem() -> str:
    return pem_of(key_of(2048))


@settings(deadline=None, max_examples=20)
@given(message=st.binary(max_size=300), bits=st.sampled_from([2048, 2056]))
def test_a_signature_is_the_one_that_a_library_of_cryptography_makes(
    message: bytes, bits: int
) -> None:
    key = key_of(bits)
    expected = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    assert PrivateKey.of_pem(pem_of(key)).sign(message) == expected


def test_a_key_whose_numbers_do_not_belong_together_signs_nothing() -> None:
    good = PrivateKey.of_pem(usual_pem())
    bad = PrivateKey(
        good.modulus,
        good.public_exponent,
        good.prime1,
        good.prime2,
        good.exponent1 + 2,
        good.exponent2,
        good.coefficient,
    )
    with pytest.raises(ValueError, match="no RSA key"):
        bad.sign(b"x")


WRAPPED = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n"
NO_KEYS: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "no PEM": lambda: "canary",
    "an empty PEM": lambda: WRAPPED.format(""),
    "too short": lambda: WRAPPED.format("MA=="),
    "no DER": lambda: WRAPPED.format(b64encode(bytes(range(48, 148))).decode()),
    "no end": lambda: usual_pem()[:-200],
    "half of it": lambda: WRAPPED.format("".join(usual_pem().splitlines()[1:9])),
    "PKCS #1": lambda: pem_of(key_of(2048), is_pkcs8=False),
    "an elliptic curve": lambda: pem_of(ec.generate_private_key(ec.SECP256R1())),
    "too few bits": lambda: pem_of(key_of(1024)),
}


@pytest.mark.parametrize("fault", NO_KEYS)
def test_what_is_no_key_is_refused_without_being_shown(fault: str) -> None:
    with pytest.raises(ValueError, match="no RSA key") as refused:
        PrivateKey.of_pem(NO_KEYS[fault]())
    assert "canary" not in str(refused.value)


@given(st.binary(max_size=64))
def test_no_bytes_make_the_reading_of_a_key_fail_in_another_way(data: bytes) -> None:
    with pytest.raises(ValueError, match="no RSA key"):
        PrivateKey.of_pem(WRAPPED.format(b64encode(data).decode()))


def test_a_key_does_not_show_its_numbers() -> None:
    key = PrivateKey.of_pem(usual_pem())
    assert str(key.prime1) not in repr(key)


def decoded(part: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


async def granted(
    world: TokenWorld, secret: str | None, parameters: dict[str, str] | None = None
) -> str:
    request = UpstreamRequest("vertexai", "https://x.example", {}, b"{}")
    authorization = Authorization("google", secret, parameters or {})
    scheme = GoogleScheme(world, world.clock, RoleCredentials({}))
    grant = await scheme.grant(request, authorization)
    return grant.headers["authorization"]


async def test_a_service_accounts_assertion_is_exchanged_at_googles_own_endpoint() -> None:
    world = TokenWorld()
    assert await granted(world, key_file(usual_pem())) == "Bearer token-1"
    [asked] = world.exchanges
    assert asked.url == "https://oauth2.googleapis.com/token"  # and not the key file's
    [form] = world.forms
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    head, claims, signature = form["assertion"].split(".")
    assert decoded(head) == {"alg": "RS256", "typ": "JWT"}
    assert decoded(claims) == {
        "iss": EMAIL,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": world.now_s,
        "exp": world.now_s + 3600,
    }
    raw = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    signed = f"{head}.{claims}".encode()
    key_of(2048).public_key().verify(raw, signed, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        key_of(2048).public_key().verify(raw, signed + b"x", padding.PKCS1v15(), hashes.SHA256())


async def test_a_key_file_is_read_where_there_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "sa.json"
    path.write_text(key_file(usual_pem()))
    assert await granted(TokenWorld(), None, {"credentials_file": str(path)}) == "Bearer token-1"


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("canary", "is not the JSON key file of a service account"),
        ('{"type": "authorized_user", "refresh_token": "canary"}', "is not the JSON key file"),
        (key_file("canary"), "holds no RSA key"),
        (None, "file cannot be read"),
    ],
)
async def test_a_key_that_cannot_sign_spends_nothing_and_is_not_shown(
    secret: str | None, reason: str
) -> None:
    world = TokenWorld()
    with pytest.raises(UpstreamUnreachable, match=f"vertexai .*{reason}") as refused:
        await granted(world, secret)
    assert "canary" not in refused.value.message
    assert world.exchanges == []
