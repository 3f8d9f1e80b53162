"""What the library never shows, and what its values have nothing to do with each other."""

from __future__ import annotations

import hashlib
import inspect
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING

import nacl.bindings
import nacl.exceptions
import pytest

from bursar import vault
from bursar.vault import (
    AnyLlmKey,
    Binding,
    CannotOpen,
    InvalidInput,
    InvalidKey,
    KdfParameters,
    PrivateKey,
    PublicKey,
    VaultError,
    WeakParameters,
    derive,
    errors,
    keys,
    new_recovery_key,
    open_sealed,
    open_share,
    open_v1,
    recovery_keys,
    seal_v1,
    seal_v2,
    share_with,
    unwrap_account_key,
    verifier_of,
    verify,
    wrap_account_key,
    wrapping_key,
)
from bursar.vault.derivation import hkdf
from tests.unit.vault import independent

if TYPE_CHECKING:
    from collections.abc import Callable

_CANARY = "sk-canary-7f3a"
_CANARY_KEY = PrivateKey(b"canary-private-key-of-32-bytes!!")
_HOME = Binding("vault", "openai", "default", 1)
_LONE = _CANARY + "\ud800"
_PARAMETERS = KdfParameters(salt=bytes(16))


def test_the_declared_names_are_all_there_and_no_others() -> None:
    public = {
        name
        for name, value in vars(vault).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(vault.__all__)
    assert vault.__all__ == sorted(vault.__all__)


def test_every_error_is_in_the_one_tree() -> None:
    kinds = [value for value in vars(errors).values() if inspect.isclass(value)]
    raised = [kind for kind in kinds if issubclass(kind, Exception)]
    assert all(issubclass(kind, VaultError) for kind in raised)
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in raised)


@pytest.mark.parametrize(
    "shown",
    [
        _CANARY_KEY,
        AnyLlmKey("id", _CANARY_KEY),
        vault.OpenedVault(_CANARY_KEY, 1),
        vault.PasswordKeys("canary", b"canary"),
        recovery_keys(new_recovery_key()),
    ],
)
def test_no_secret_is_in_a_repr(shown: object) -> None:
    for text in (repr(shown), str(shown), f"{shown}", f"{[shown]}"):
        assert "canary" not in text
        assert "login" not in text
        assert len(text) < 80


def _open_no_text() -> None:
    recipient, raw = _CANARY_KEY.public.raw, _CANARY.encode() + b"\xff"
    open_v1(independent.seal_v1(bytes(range(32)), recipient, raw), _CANARY_KEY)


@pytest.mark.parametrize(
    "fail",
    [
        _open_no_text,
        lambda: seal_v1(_LONE, _CANARY_KEY.public),
        lambda: seal_v2(_LONE, _CANARY_KEY.public, _HOME),
        lambda: derive(_LONE, _PARAMETERS),
        lambda: wrapping_key(_LONE),
        lambda: open_v1(_CANARY, _CANARY_KEY),
        lambda: open_sealed(seal_v1(_CANARY, _CANARY_KEY.public), PrivateKey(bytes(32)), _HOME),
        lambda: AnyLlmKey.parse("ANY.v1." + _CANARY),
        lambda: AnyLlmKey.parse("ANY.v1.id.fp-" + _CANARY),
        lambda: AnyLlmKey(_CANARY + ".", _CANARY_KEY),
        lambda: PublicKey.parse(_CANARY),
        lambda: PrivateKey(_CANARY.encode()),
        lambda: recovery_keys("bursar-recovery-" + _CANARY),
        lambda: KdfParameters.parse(_CANARY),
        lambda: wrap_account_key(_CANARY_KEY, _CANARY.encode(), account_id="a"),
    ],
)
def test_no_error_carries_what_it_failed_at(fail: Callable[[], object]) -> None:
    with pytest.raises(VaultError) as caught:
        fail()
    error: BaseException | None = caught.value
    while error is not None:
        shown = f"{error!r} {error.args} {vars(error)} {traceback.format_exception_only(error)}"
        assert "canary" not in shown
        assert not isinstance(error, UnicodeError)
        error = error.__cause__ or error.__context__


def test_each_class_of_reasons_has_one_message() -> None:
    assert {str(CannotOpen(reason)) for reason in vault.Reason} == {
        reason.value for reason in vault.Reason
    }


@pytest.mark.parametrize("size", [0, 31, 33])
def test_keys_have_32_bytes_because_libsodium_reads_so_many(size: int) -> None:
    for kind in (PrivateKey, PublicKey):
        with pytest.raises(InvalidKey):
            kind(bytes(size))


@pytest.mark.parametrize("oldest", [0, 256, -1])
def test_a_share_names_a_format_that_one_byte_can_hold(oldest: int) -> None:
    with pytest.raises(InvalidInput):
        share_with(
            _CANARY_KEY, _CANARY_KEY.public, vault_id="v", holder_id="h", oldest_format=oldest
        )


@pytest.mark.parametrize(
    "seal",
    [
        lambda: Binding("v\ud800", "p", "k", 1),
        lambda: share_with(_CANARY_KEY, _CANARY_KEY.public, vault_id="\ud800", holder_id="h"),
        lambda: wrap_account_key(_CANARY_KEY, bytes(32), account_id="\ud800"),
    ],
)
def test_a_name_without_a_utf8_form_is_refused(seal: Callable[[], object]) -> None:
    with pytest.raises(InvalidInput):
        seal()


@pytest.mark.parametrize("high_bit", [0, 2**255])
@pytest.mark.parametrize("point", sorted(keys._SMALL_ORDER_POINTS))
def test_x25519_fails_with_what_the_key_class_refuses(point: int, high_bit: int) -> None:
    """The list is no matter of taste: both libraries find an agreement of zero."""
    raw = (point + high_bit).to_bytes(32, "little")
    with pytest.raises(nacl.exceptions.RuntimeError):
        nacl.bindings.crypto_scalarmult(bytes(range(32)), raw)
    with pytest.raises(ValueError, match="Error computing shared key"):
        independent.agreed(bytes(range(32)), raw)
    with pytest.raises(InvalidKey):
        PublicKey(raw)


def test_hkdf_is_that_of_rfc_5869() -> None:
    """Appendix A.3: its test without salt and info; then one of two blocks, by another library."""
    expected = (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )
    assert hkdf(b"\x0b" * 22, b"", 42).hex() == expected
    assert hkdf(b"secret", b"info", 56) == independent.hkdf(b"secret", b"info", 56)


def test_the_stored_digest_of_a_virtual_key_does_not_lead_to_its_wrapping_key() -> None:
    """Virtual keys are longer than an HMAC block, so HMAC keyed with one is keyed by its digest."""
    virtual_key = "gw-" + "x" * 64
    digest = hashlib.sha256(virtual_key.encode())
    own = wrapping_key(virtual_key).raw
    assert own != wrapping_key(digest.hexdigest()).raw
    for secret in (digest.digest(), digest.hexdigest().encode()):
        assert own != hkdf(secret, b"bursar vault virtual key v1", 32)
        keyed_by_digest = independent.hmac_sha256(secret, b"bursar vault virtual key v1")
        assert own != keyed_by_digest


def test_a_password_and_a_recovery_key_give_two_secrets_each() -> None:
    derived = derive("correct horse", _PARAMETERS)
    recovered = recovery_keys(new_recovery_key())
    values = [derived.login_value, recovered.login_value]
    secrets = [derived.wrapping_key, recovered.wrapping_key]
    assert len({*values, *(independent.text(secret) for secret in secrets)}) == 4
    assert derive("correct horse", KdfParameters(salt=bytes(15) + b"1")) != derived


def test_a_login_value_is_verified_and_nothing_else() -> None:
    verifier = verifier_of("value")
    assert verifier == hashlib.sha256(b"value").hexdigest()
    assert verify("value", verifier)
    for presented in ("Value", "", verifier, "val\ud800ue", "v\u00e4lue"):
        assert not verify(presented, verifier)
    assert not verify("value", "")
    assert not verify("value", "\u00e4")


def test_a_password_change_wraps_one_blob_anew() -> None:
    account = PrivateKey.generate()
    share = share_with(_CANARY_KEY, account.public, vault_id="v", holder_id="p")
    old, new = b"o" * 32, b"n" * 32
    unwrapped = unwrap_account_key(
        wrap_account_key(account, old, account_id="a"), old, account_id="a"
    )
    again = unwrap_account_key(
        wrap_account_key(unwrapped, new, account_id="a"), new, account_id="a"
    )
    assert open_share(share, again, vault_id="v", holder_id="p").private_key == _CANARY_KEY


def test_fresh_parameters_have_the_least_cost_and_a_salt_of_their_own() -> None:
    first, second = KdfParameters.fresh(), KdfParameters.fresh()
    assert (first.memory_kib, first.passes) == (65_536, 3)
    assert first.salt != second.salt
    with pytest.raises(WeakParameters):
        KdfParameters(salt=b"")


def test_generated_keys_are_each_their_own() -> None:
    assert PrivateKey.generate() != PrivateKey.generate()
    assert AnyLlmKey.generate() != AnyLlmKey.generate()
    assert new_recovery_key() != new_recovery_key()
    assert AnyLlmKey.parse(AnyLlmKey.generate().text())


@pytest.mark.parametrize(
    ("text", "is_key"),
    [
        ("ANY.v1.x", True),
        ("ANY.v12.", True),
        ("ANY.vx.", False),
        ("xANY.v1.", False),
        ("gw-", False),
    ],
)
def test_an_any_llm_key_is_told_by_its_beginning(text: str, *, is_key: bool) -> None:
    assert vault.is_any_llm_key(text) is is_key


def test_nothing_else_of_bursar_is_imported() -> None:
    listing = "import bursar.vault, sys; print(*(m for m in sys.modules if 'bursar' in m))"
    run = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert "bursar.vault" in loaded
    assert all(name == "bursar" or name.startswith("bursar.vault") for name in loaded)
