from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.provider_errors import ProviderError, read_provider_error

UNSAID = "The provider refused the request and did not say why"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # OpenAI
        (
            '{"error":{"message":"m","type":"invalid_request_error","param":"p","code":"c"}}',
            ProviderError("m", "invalid_request_error", "c", "p"),
        ),
        (
            '{"error":{"message":"m","type":"t","param":null,"code":null}}',
            ProviderError("m", "t"),
        ),
        # Anthropic
        (
            '{"type":"error","error":{"type":"not_found_error","message":"m"},"request_id":"r"}',
            ProviderError("m", "not_found_error"),
        ),
        # Google, plain and through its OpenAI endpoint
        (
            '{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}',
            ProviderError("m", "INVALID_ARGUMENT", "400"),
        ),
        (
            '[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]',
            ProviderError("m", "RESOURCE_EXHAUSTED", "429"),
        ),
        # Mistral
        (
            '{"object":"error","message":"m","type":"invalid_model","param":null,"code":"1500"}',
            ProviderError("m", "invalid_model", "1500"),
        ),
        # AWS
        ('{"message":"m"}', ProviderError("m")),
        (
            '{"Message":"m","__type":"AccessDeniedException"}',
            ProviderError("m", "AccessDeniedException"),
        ),
        # FastAPI
        ('{"detail":"m"}', ProviderError("m")),
        ('{"detail":[{"loc":["body","x"],"msg":"m","type":"missing"}]}', ProviderError("m")),
        # xAI, llama.cpp
        (
            '{"code":"Client specified an invalid argument","error":"m"}',
            ProviderError("m", code="Client specified an invalid argument"),
        ),
        ('{"error":{"message":5}}', ProviderError(UNSAID)),
        ('{"error":{"message":"","type":""}}', ProviderError(UNSAID)),
        ('{"detail":[]}', ProviderError(UNSAID)),
        ("[]", ProviderError(UNSAID)),
        ("5", ProviderError(UNSAID)),
        ("", ProviderError(UNSAID)),
        ("<html>Bad gateway</html>", ProviderError(UNSAID)),
        ("[" * 20_000 + "]" * 20_000, ProviderError(UNSAID)),
    ],
)
def test_an_error_is_read_whatever_its_dialect(body: str, expected: ProviderError) -> None:
    assert read_provider_error(body.encode()) == expected


def test_a_message_is_cut_at_a_length_that_people_read() -> None:
    body = b'{"message":"' + b"m" * 100_000 + b'"}'
    assert len(read_provider_error(body).message) == 2_000


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(repr))
def test_no_body_is_unreadable(body: bytes | str) -> None:
    assert read_provider_error(body if isinstance(body, bytes) else body.encode()).message
