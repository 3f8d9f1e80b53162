"""Every file in tests/vectors/vault, against the library and against a second computation."""

from __future__ import annotations

import base64
import json
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bursar.vault import (
    AnyLlmKey,
    Binding,
    CannotOpen,
    InvalidInput,
    InvalidKey,
    KdfParameters,
    NotVouched,
    PrivateKey,
    PublicKey,
    VaultError,
    WeakParameters,
    account_keys,
    check_voucher,
    derive,
    envelope,
    open_sealed,
    open_share,
    open_v1,
    open_v2,
    recovery_keys,
    sealed_box,
    shares,
    unwrap_account_key,
    verifier_of,
    verify,
    vouch,
    wrapping_key,
)
from tests.unit.vault import independent

if TYPE_CHECKING:
    from collections.abc import Callable

Vector = dict[str, Any]
Results = dict[str, Any]

_VECTORS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[2] / "vectors/vault").glob("*.json"))
}
_ERRORS: dict[str, type[VaultError]] = {
    "cannot-open": CannotOpen,
    "invalid-input": InvalidInput,
    "invalid-key": InvalidKey,
    "not-vouched": NotVouched,
    "weak-parameters": WeakParameters,
}


def _raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _private(vector: Vector, field: str) -> PrivateKey:
    return PrivateKey(_raw(vector[field]))


def _binding(vector: Vector) -> Binding:
    return Binding(
        vector["vault-id"], vector["provider"], vector["key-name"], int(vector["version"])
    )


def _open_v1(vector: Vector) -> Results:
    return {"plaintext": open_v1(vector["sealed"], _private(vector, "private-key"))}


def _open_v2(vector: Vector) -> Results:
    key = _private(vector, "private-key")
    return {"plaintext": open_v2(vector["sealed"], key, _binding(vector))}


def _open_sealed(vector: Vector) -> Results:
    key, oldest = _private(vector, "private-key"), vector["oldest-format"]
    opened = open_sealed(vector["sealed"], key, _binding(vector), oldest_format=oldest)
    return {"plaintext": opened}


def _parse_public_key(vector: Vector) -> Results:
    key = PublicKey.parse(vector["public-key"])
    return {"public-key": str(key), "fingerprint": key.fingerprint}


def _parse_any_llm_key(vector: Vector) -> Results:
    key = AnyLlmKey.parse(vector["any-llm-key"])
    return {
        "key-id": key.key_id,
        "private-key": _text(key.private_key.raw),
        "text": key.text(),
    }


def _wrapping_key(vector: Vector) -> Results:
    key = wrapping_key(vector["virtual-key"])
    return {"private-key": _text(key.raw), "public-key": str(key.public)}


def _open_share(vector: Vector) -> Results:
    opened = open_share(
        vector["share"],
        _private(vector, "holder-key"),
        vault_id=vector["vault-id"],
        holder_id=vector["holder-id"],
    )
    return {
        "vault-key": _text(opened.private_key.raw),
        "oldest-format": opened.oldest_format,
    }


def _check_voucher(vector: Vector) -> Results:
    check_voucher(
        _private(vector, "vault-key"),
        vault_id=vector["vault-id"],
        holder_id=vector["holder-id"],
        holder=PublicKey.parse(vector["holder"]),
        voucher=vector["voucher"],
    )
    return {}


def _parse_parameters(vector: Vector) -> Results:
    return {"parameters": str(KdfParameters.parse(vector["parameters"]))}


def _derive(vector: Vector) -> Results:
    keys = derive(vector["password"], KdfParameters.parse(vector["parameters"]))
    assert verify(keys.login_value, vector["verifier"])
    return {
        "login-value": keys.login_value,
        "wrapping-key": _text(keys.wrapping_key),
        "verifier": verifier_of(keys.login_value),
    }


def _unwrap_account_key(vector: Vector) -> Results:
    secret = _raw(vector["wrapping-key"])
    key = unwrap_account_key(vector["wrapped"], secret, account_id=vector["account-id"])
    return {"account-key": _text(key.raw)}


def _recovery_keys(vector: Vector) -> Results:
    keys = recovery_keys(vector["recovery-key"])
    return {"login-value": keys.login_value, "wrapping-key": _text(keys.wrapping_key)}


_OPERATIONS: dict[str, Callable[[Vector], Results]] = {
    "open-v1": _open_v1,
    "open-v2": _open_v2,
    "open-sealed": _open_sealed,
    "parse-public-key": _parse_public_key,
    "parse-any-llm-key": _parse_any_llm_key,
    "wrapping-key": _wrapping_key,
    "open-share": _open_share,
    "check-voucher": _check_voucher,
    "parse-parameters": _parse_parameters,
    "derive": _derive,
    "unwrap-account-key": _unwrap_account_key,
    "recovery-keys": _recovery_keys,
}


@pytest.mark.parametrize("name", _VECTORS)
def test_each_scenario_ends_as_its_file_says(name: str) -> None:
    vector = _VECTORS[name]
    operation = _OPERATIONS[vector["operation"]]
    if vector["expect"] == "success":
        results = operation(vector)
        assert results == {field: vector[field] for field in results}
        return
    with pytest.raises(_ERRORS[vector["expect"]]) as caught:
        operation(vector)
    if isinstance(caught.value, CannotOpen):
        assert caught.value.reason.name.lower().replace("_", "-") == vector["reason"]


def _sealed(vector: Vector) -> str:
    ephemeral, key = _private(vector, "ephemeral-key"), _private(vector, "private-key")
    if vector["operation"] == "open-v1":
        return sealed_box._seal_with(ephemeral, vector["plaintext"], key.public)
    return envelope._seal_with(ephemeral, vector["plaintext"], key.public, _binding(vector))


def _sealed_independently(vector: Vector) -> str:
    ephemeral, plaintext = _raw(vector["ephemeral-key"]), vector["plaintext"].encode()
    recipient = independent.public_of(_raw(vector["private-key"]))
    if vector["operation"] == "open-v1":
        return independent.seal_v1(ephemeral, recipient, plaintext)
    names = (vector["vault-id"], vector["provider"], vector["key-name"])
    place = independent.Place(*names, vector["version"])
    return independent.seal_v2(ephemeral, recipient, plaintext, place)


def _successes(operation: str, *fields: str) -> list[str]:
    return [
        name
        for name, vector in _VECTORS.items()
        if vector["operation"] == operation
        and vector["expect"] == "success"
        and all(field in vector for field in fields)
    ]


@pytest.mark.parametrize(
    "name", _successes("open-v1", "ephemeral-key") + _successes("open-v2", "ephemeral-key")
)
def test_sealing_with_a_known_ephemeral_key_gives_the_vector(name: str) -> None:
    vector = _VECTORS[name]
    assert _sealed(vector) == vector["sealed"]
    assert _sealed_independently(vector) == vector["sealed"]


@pytest.mark.parametrize("name", _successes("open-share"))
def test_sharing_with_a_known_ephemeral_key_gives_the_vector(name: str) -> None:
    vector = _VECTORS[name]
    vault_id, holder_id, oldest = (
        vector[key] for key in ("vault-id", "holder-id", "oldest-format")
    )
    ephemeral, vault_key = _private(vector, "ephemeral-key"), _private(vector, "vault-key")
    holder = _private(vector, "holder-key").public
    place = shares._place(shares._SHARE_LABEL, vault_id, holder_id)
    made = shares._share_with(ephemeral, vault_key, holder, place, oldest)
    assert made == vector["share"]
    again = independent.share(
        ephemeral.raw, holder.raw, bytes([oldest]) + vault_key.raw, vault_id, holder_id
    )
    assert again == vector["share"]


@pytest.mark.parametrize("name", _successes("check-voucher"))
def test_a_voucher_has_one_text(name: str) -> None:
    vector = _VECTORS[name]
    vault_id, holder_id = vector["vault-id"], vector["holder-id"]
    key, holder = _private(vector, "vault-key"), PublicKey.parse(vector["holder"])
    made = vouch(key, vault_id=vault_id, holder_id=holder_id, holder=holder)
    assert made == vector["voucher"]
    assert independent.voucher(key.raw, vault_id, holder_id, holder.raw) == vector["voucher"]


@pytest.mark.parametrize("name", _successes("unwrap-account-key"))
def test_wrapping_with_a_known_nonce_gives_the_vector(name: str) -> None:
    vector = _VECTORS[name]
    nonce, secret = _raw(vector["nonce"]), _raw(vector["wrapping-key"])
    key, account_id = _private(vector, "account-key"), vector["account-id"]
    assert account_keys._wrap_with(nonce, key, secret, account_id) == vector["wrapped"]
    again = independent.wrapped_account_key(nonce, secret, key.raw, account_id)
    assert again == vector["wrapped"]


@pytest.mark.parametrize("name", _successes("wrapping-key"))
def test_another_library_derives_the_same_from_a_virtual_key(name: str) -> None:
    vector = _VECTORS[name]
    private = independent.virtual_key_wrapping(vector["virtual-key"])
    assert _text(private) == vector["private-key"]
    assert _text(independent.public_of(private)) == vector["public-key"]


def test_another_library_derives_the_same_from_a_password() -> None:
    vector = _VECTORS["password-decomposed"]
    parameters = KdfParameters.parse(vector["parameters"])
    master = independent.password_master(
        unicodedata.normalize("NFC", vector["password"]),
        parameters.salt,
        parameters.memory_kib,
        parameters.passes,
    )
    login, wrapping = independent.login_and_wrapping(master, "password")
    assert (login, _text(wrapping)) == (vector["login-value"], vector["wrapping-key"])


def test_every_kind_of_scenario_is_there() -> None:
    assert {vector["operation"] for vector in _VECTORS.values()} == set(_OPERATIONS)
    assert {vector["expect"] for vector in _VECTORS.values()} == {"success", *_ERRORS}
