"""What holds for every text, key and place, tried with many."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bursar.vault import (
    AnyLlmKey,
    Binding,
    CannotOpen,
    InvalidKey,
    KdfParameters,
    NotVouched,
    PrivateKey,
    PublicKey,
    check_voucher,
    format_of,
    is_any_llm_key,
    open_sealed,
    open_share,
    open_v1,
    open_v2,
    recovery,
    recovery_keys,
    seal_v1,
    seal_v2,
    share_with,
    unwrap_account_key,
    vouch,
    wrap_account_key,
)
from bursar.vault.encoding import framed, from_base64, to_base64

_KEY = PrivateKey(bytes(range(32)))
_OTHER = PrivateKey(bytes(range(1, 33)))
_HOME = Binding("vault", "openai", "default", 3)
_V1 = seal_v1("sk-secret", _KEY.public)
_V2 = seal_v2("sk-secret", _KEY.public, _HOME)
_IDS: dict[str, Any] = {"vault_id": "vault", "holder_id": "holder"}
_SHARE = share_with(_OTHER, _KEY.public, **_IDS, oldest_format=2)
_VOUCHER = vouch(_KEY, **_IDS, holder=_OTHER.public)
_SECRET = bytes(range(50, 82))
_WRAPPED = wrap_account_key(_KEY, _SECRET, account_id="account")
_RECOVERY = recovery._text(bytes(range(20)))

# How long an example takes says more about the machine's other work than about the library.
_tries = settings(deadline=None, max_examples=60)
_texts = st.text()
_keys = st.binary(min_size=32, max_size=32).map(PrivateKey)
_bindings = st.builds(Binding, _texts, _texts, _texts, st.integers(1, 2**64 - 1))


def _mutations(text: str) -> st.SearchStrategy[str]:
    """Flip one bit of what a text's last part decodes to, and keep its label."""
    label, dot, body = text.rpartition(".")
    raw = base64.b64decode(body)

    def flipped(bit: int) -> str:
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << (bit % 8)
        return label + dot + base64.b64encode(changed).decode()

    return st.integers(0, 8 * len(raw) - 1).map(flipped)


def _edits(text: str) -> st.SearchStrategy[str]:
    """Replace one character by any other."""
    places = st.tuples(st.integers(0, len(text) - 1), st.characters())
    edited = places.map(lambda edit: text[: edit[0]] + edit[1] + text[edit[0] + 1 :])
    return edited.filter(lambda other: other != text)


@_tries
@given(_texts, _keys)
def test_v1_opens_to_what_was_sealed(plaintext: str, key: PrivateKey) -> None:
    sealed = seal_v1(plaintext, key.public)
    assert open_v1(sealed, key) == plaintext
    assert len(base64.b64decode(sealed)) == 48 + len(plaintext.encode())
    assert format_of(sealed) == 1


@_tries
@given(_texts, _keys, _bindings)
def test_v2_opens_to_what_was_sealed(plaintext: str, key: PrivateKey, binding: Binding) -> None:
    sealed = seal_v2(plaintext, key.public, binding)
    assert open_v2(sealed, key, binding) == plaintext
    assert open_sealed(sealed, key, binding, oldest_format=2) == plaintext
    assert format_of(sealed) == 2


@_tries
@given(_bindings, _bindings)
def test_v2_opens_in_no_other_place(home: Binding, elsewhere: Binding) -> None:
    assume(home != elsewhere)
    sealed = seal_v2("sk-secret", _KEY.public, home)
    with pytest.raises(CannotOpen):
        open_v2(sealed, _KEY, elsewhere)


@_tries
@given(_mutations(_V1) | _edits(_V1))
def test_a_changed_v1_does_not_open(changed: str) -> None:
    with pytest.raises(CannotOpen):
        open_v1(changed, _KEY)


@_tries
@given(_mutations(_V2) | _edits(_V2))
def test_a_changed_v2_does_not_open(changed: str) -> None:
    with pytest.raises(CannotOpen):
        open_sealed(changed, _KEY, _HOME)


@_tries
@given(_mutations(_SHARE) | _edits(_SHARE))
def test_a_changed_share_does_not_open(changed: str) -> None:
    with pytest.raises(CannotOpen):
        open_share(changed, _KEY, **_IDS)


@_tries
@given(_mutations(_WRAPPED) | _edits(_WRAPPED))
def test_a_changed_account_key_does_not_unwrap(changed: str) -> None:
    with pytest.raises(CannotOpen):
        unwrap_account_key(changed, _SECRET, account_id="account")


@_tries
@given(_mutations(_VOUCHER) | _edits(_VOUCHER))
def test_a_changed_voucher_vouches_for_nobody(changed: str) -> None:
    with pytest.raises(NotVouched):
        check_voucher(_KEY, **_IDS, holder=_OTHER.public, voucher=changed)


def test_every_single_bit_counts() -> None:
    """The examples above are some of the bits; these are all of the shortest texts."""
    sealed = seal_v2("", _KEY.public, _HOME)
    raw = base64.b64decode(sealed.removeprefix("bursar.v2."))
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(CannotOpen):
            open_v2("bursar.v2." + to_base64(bytes(changed)), _KEY, _HOME)


@_tries
@given(st.text() | st.text("bursar.v123+/=AZaz09", max_size=90) | st.binary().map(to_base64))
def test_junk_is_refused_with_the_one_error(junk: str) -> None:
    with pytest.raises(CannotOpen):
        open_sealed(junk, _KEY, _HOME)
    with pytest.raises(CannotOpen):
        open_share(junk, _KEY, **_IDS)
    with pytest.raises(CannotOpen):
        unwrap_account_key(junk, _SECRET, account_id="account")


@pytest.mark.parametrize("label", ["", "bursar.v2."])
def test_what_is_too_short_for_any_box_has_no_format(label: str) -> None:
    ephemeral = _OTHER.public.raw
    assert format_of(label + to_base64(ephemeral + bytes(16))) in {1, 2}
    for size in range(16):
        with pytest.raises(CannotOpen):
            format_of(label + to_base64(ephemeral + bytes(size)))


@_tries
@given(_keys, _keys, _texts, _texts, st.integers(1, 255))
def test_a_share_brings_the_vault_to_its_holder_alone(
    vault: PrivateKey, holder: PrivateKey, vault_id: str, holder_id: str, oldest: int
) -> None:
    place: dict[str, Any] = {"vault_id": vault_id, "holder_id": holder_id}
    share = share_with(vault, holder.public, **place, oldest_format=oldest)
    opened = open_share(share, holder, **place)
    assert (opened.private_key, opened.oldest_format) == (vault, oldest)
    with pytest.raises(CannotOpen):
        open_share(share, holder, **place | {"vault_id": vault_id + "x"})
    with pytest.raises(CannotOpen):
        open_share(share, holder, **place | {"holder_id": holder_id + "x"})


@_tries
@given(_keys, st.binary(min_size=32, max_size=32), _texts, _texts)
def test_an_account_key_unwraps_for_its_account_alone(
    key: PrivateKey, secret: bytes, account_id: str, other: str
) -> None:
    wrapped = wrap_account_key(key, secret, account_id=account_id)
    assert unwrap_account_key(wrapped, secret, account_id=account_id) == key
    assume(other != account_id)
    with pytest.raises(CannotOpen):
        unwrap_account_key(wrapped, secret, account_id=other)


@_tries
@given(_keys)
def test_a_public_key_is_read_as_it_is_written(key: PrivateKey) -> None:
    assert PublicKey.parse(str(key.public)) == key.public


@_tries
@given(_keys, st.text(min_size=1).filter(lambda text: "." not in text))
def test_an_any_llm_key_is_read_as_it_is_written(key: PrivateKey, key_id: str) -> None:
    written = AnyLlmKey(key_id, key)
    assert AnyLlmKey.parse(written.text()) == written
    assert is_any_llm_key(written.text())


@_tries
@given(st.integers(65_536, 262_144), st.integers(3, 16), st.binary(min_size=16, max_size=16))
def test_parameters_are_read_as_they_are_written(memory_kib: int, passes: int, salt: bytes) -> None:
    parameters = KdfParameters(memory_kib=memory_kib, passes=passes, salt=salt)
    assert KdfParameters.parse(str(parameters)) == parameters


@_tries
@given(st.binary())
def test_base64_is_read_as_it_is_written(raw: bytes) -> None:
    assert from_base64(to_base64(raw)) == raw


@_tries
@given(st.text("AB+/=-_ \n", max_size=12) | st.text(max_size=12))
def test_base64_has_one_notation(text: str) -> None:
    raw = from_base64(text)
    assert raw is None or to_base64(raw) == text


@_tries
@given(st.lists(st.binary()), st.lists(st.binary()))
def test_different_lists_are_framed_differently(left: list[bytes], right: list[bytes]) -> None:
    assert (framed(*left) == framed(*right)) == (left == right)


@_tries
@given(st.binary(min_size=20, max_size=20), st.data())
def test_a_recovery_key_survives_its_writing_down(secret: bytes, data: st.DataObject) -> None:
    text = recovery._text(secret)
    noise = {"-": ["-", " ", "", " - "], "0": ["0", "O", "o"], "1": ["1", "I", "i", "L", "l"]}
    copied = "".join(
        data.draw(st.sampled_from(noise.get(each, [each.upper(), each.lower()]))) for each in text
    )
    assert recovery_keys(copied) == recovery_keys(text)


@_tries
@given(st.data())
def test_one_wrong_character_of_a_recovery_key_is_found(data: st.DataObject) -> None:
    """Found in all but one of a million cases, and in none of these."""
    at = data.draw(st.integers(len("bursar-recovery-"), len(_RECOVERY) - 1))
    assume(_RECOVERY[at] != "-")
    wrong = data.draw(st.sampled_from("23456789ABCDEFGHJKMNPQRSTVWXYZ"))
    assume(wrong != _RECOVERY[at])
    with pytest.raises(InvalidKey):
        recovery_keys(_RECOVERY[:at] + wrong + _RECOVERY[at + 1 :])


@_tries
@given(_keys)
def test_two_seals_of_one_text_have_nothing_in_common(key: PrivateKey) -> None:
    first, second = seal_v2("sk", key.public, _HOME), seal_v2("sk", key.public, _HOME)
    assert base64.b64decode(first[10:])[:32] != base64.b64decode(second[10:])[:32]
    assert open_v2(first, key, _HOME) == open_v2(second, key, _HOME)
