"""What of a provider's answer may reach the caller."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.domain.errors import UpstreamBroken, UpstreamError, UpstreamTimeout
from bursar.domain.usage import TokenUsage
from bursar.services.answers import WholeAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.error_shape import ErrorShape
    from bursar.dialects.passage import Passage
    from bursar.domain.upstream import Target
    from bursar.ports import UpstreamAnswer

_PASSED = (
    "content-type",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "openai-processing-ms",
    "openai-version",
)
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "apim-request-id", "x-amzn-requestid")
_EVENT_STREAM = "text/event-stream"
_STREAMS = (_EVENT_STREAM, "audio/")
_ERROR_BYTES_MAX = 64 * 1024
# Beyond ten pictures in base64; more would only be a way to make the gateway run out of memory.
_WHOLE_BYTES_MAX = 128 * 1024 * 1024
_SECRET_PREFIX = 8
# Schemes that sign with an AWS role, or send a key of AWS's as it is.
_AWS_SCHEMES: Final = frozenset({"aws", "sagemaker"})
# Who a request was signed as: the account, the role and the function.
_AWS_IDENTITY: Final = re.compile(rb"arn:aws[a-z-]*:(?:iam|sts)::")
_AWS_REFUSES: Final = frozenset(
    {
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)


class CredentialsRefused(UpstreamError):
    """The provider refused the key that the gateway sent; the caller's own key is fine."""

    code = "provider_authentication"


def passed_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in _PASSED if name in headers}


def stream_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of a stream of events, whatever the framing that the provider uses, or of audio."""
    passed = passed_headers(headers)
    if not passed.get("content-type", "").startswith(_STREAMS):
        passed["content-type"] = _EVENT_STREAM
    return passed


def upstream_request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's own id of the call, for its support."""
    return next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)


def counted_input(headers: Mapping[str, str]) -> TokenUsage | None:
    """What Bedrock counts of a model whose answers have no place for it."""
    counted = headers.get("x-amzn-bedrock-input-token-count", "")
    return TokenUsage(int(counted), 0) if counted.isdecimal() and counted.isascii() else None


async def read_whole(answer: UpstreamAnswer, provider: str) -> bytes:
    """An answer's body.

    Raises:
        UpstreamBroken: it does not end within 128 MiB.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.chunks():
        size += len(chunk)
        if size > _WHOLE_BYTES_MAX:
            raise UpstreamBroken(f"Provider '{provider}' sent more than any answer has")
        chunks.append(chunk)
    return b"".join(chunks)


async def read_error(answer: UpstreamAnswer) -> bytes:
    """The start of an error's body, enough for any message."""
    body = b""
    async for chunk in answer.chunks():
        body += chunk
        if len(body) >= _ERROR_BYTES_MAX:
            break
    return body[:_ERROR_BYTES_MAX]


def refusal(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    target: Target,
    passage: Passage,
    errors: ErrorShape,
) -> WholeAnswer:
    """The provider's refusal for the caller.

    A 4xx passes with its body, unless the provider speaks of the credentials there that the gateway
    sent: then the status stays and the body says whose fault it is.

    Raises:
        UpstreamError: for anything else; its message quotes nothing.
    """
    name = target.provider.name
    if status == 504:
        raise UpstreamTimeout(f"Provider '{name}' timed out")
    if not 400 <= status < 500:
        raise UpstreamError(f"Provider '{name}' failed with status {status}")
    if status == 401 or _shows_key(target, body) or _shows_aws_identity(target, headers, body):
        return _credentials_refused(target, status, errors)
    kept = passed_headers(headers)
    passed = passage.refusal(status, body)
    if passed is not body:
        kept["content-type"] = "application/json"
    return WholeAnswer(status, kept, passed)


def _credentials_refused(target: Target, status: int, errors: ErrorShape) -> WholeAnswer:
    whose, who = "the gateway's credentials", "Ask the gateway's administrator"
    if target.provider_key_id is not None:
        whose, who = "the key in the project's vault", "Ask a member of the project"
    error = CredentialsRefused(
        f"Provider '{target.provider.name}' refused {whose}; your own key is fine. {who}"
    )
    headers = {"content-type": "application/json", "x-should-retry": "false"}
    return WholeAnswer(status, headers, msgspec.json.encode(errors.body_of(error)))


def _shows_key(target: Target, body: bytes) -> bool:
    key, auth = target.api_key, target.provider.auth
    # The other schemes send something else than the key, which nobody can quote.
    is_sent = bool(key) and (auth == "key" or auth in _AWS_SCHEMES)
    return is_sent and str(key)[:_SECRET_PREFIX].encode() in body


def _shows_aws_identity(target: Target, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether AWS refuses what a request was signed with, or says who is not allowed it."""
    if target.provider.auth not in _AWS_SCHEMES:
        return False
    kind = headers.get("x-amzn-errortype", "").partition(":")[0]
    return kind in _AWS_REFUSES or _AWS_IDENTITY.search(body) is not None
