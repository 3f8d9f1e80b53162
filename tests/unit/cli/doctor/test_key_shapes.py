"""Keys are known by their looks, wherever they stand, and what is sealed or hashed is not one."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.cli.doctor.key_shapes import looks_like, masked
from bursar.cli.doctor.plaintext import findings, judge
from bursar.domain.keys import new_virtual_key
from bursar.vault import AnyLlmKey, PrivateKey, new_recovery_key, seal_v1

BODY = "q7Xw2mZk9Rt4Vb6N" * 4
KEYS = {
    "openai": "sk-" + BODY[:48],
    "openai-project": "sk-proj-" + BODY,
    "anthropic": "sk-ant-api03-" + BODY,
    "google": "AIza" + BODY[:35],
    "groq": "gsk_" + BODY[:52],
    "xai": "xai-" + BODY,
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIE",
    "bearer": "Authorization: Bearer " + BODY[:40],
    "virtual": "gw-" + BODY,
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("around", ["{}", "see {}.", '{{"key": "{}"}}', "https://x/?k={}&y=1"])
def test_a_key_is_known_in_any_text(key: str, around: str) -> None:
    assert looks_like(around.format(key)) is not None


def test_the_gateways_own_keys_are_known() -> None:
    assert looks_like(new_virtual_key()) == "a virtual key"
    assert looks_like(AnyLlmKey.generate().text()) == "an ANY_LLM_KEY"
    assert looks_like(new_recovery_key()) == "a recovery key"


@given(st.text(max_size=60))
def test_digests_and_what_is_sealed_look_like_no_key(secret: str) -> None:
    content = secret.encode()
    assert looks_like(hashlib.sha256(content).hexdigest()) is None
    sealed = base64.b64encode(hashlib.sha512(content).digest() * 3).decode()
    assert looks_like(sealed) is None


def test_a_sealed_provider_key_looks_like_no_key() -> None:
    vault = PrivateKey.generate()
    assert looks_like(str(seal_v1(KEYS["openai"], vault.public))) is None


@pytest.mark.parametrize(
    "text",
    [
        "task-" + "a" * 30,
        "user/asked-" + "sk-short",
        "0b8f9d5e-6a43-4c0e-9f0b-3c1b0a6f4b53",
        "openai:gpt-4o-mini",
        "fast-whisper-large-v3-turbo-2025-10",
    ],
)
def test_ordinary_words_look_like_no_key(text: str) -> None:
    assert looks_like(text) is None


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_masked_text_has_the_key_no_more(key: str) -> None:
    hidden = masked(f"user {key} of ours")
    assert key not in hidden
    assert looks_like(hidden) is None
    assert hidden.startswith("user ")


def test_a_key_is_found_in_every_kind_of_value_and_never_shown() -> None:
    key = KEYS["openai"]
    item = {
        "pk": {"S": "USER"},
        "sk": {"S": key},
        "text": {"S": key},
        "set": {"SS": ["nothing", key]},
        "bytes": {"B": b"\x00\x01" + key.encode() + b"\xff"},
        "list": {"L": [{"N": "1"}, {"M": {"inner": {"S": key}}}]},
        "map": {"M": {key: {"BOOL": True}}},
        "number": {"N": "12345678901234567890"},
        "none": {"NULL": True},
    }
    found = list(findings(item))
    assert {one.attribute.partition("[")[0].partition(" ")[0] for one in found} == {
        "sk",
        "text",
        "set",
        "bytes",
        "list",
        "map",
    }
    assert key not in str(judge(found, "one item"))
    assert {one.item for one in found} == {"USER/sk-q…"}


def test_many_findings_are_counted_and_some_shown() -> None:
    item = {"pk": {"S": "A"}, "sk": {"S": "B"}, "many": {"SS": [KEYS["openai"]] * 30}}
    verdict = judge(list(findings(item)), "a table")
    assert "30 of the values" in verdict.seen
    assert verdict.details[-1] == "and 10 more"
    assert len(verdict.details) == 21
