"""The client that an environment asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.aws.credentials import credentials_from
from bursar.aws.transport import Origin
from bursar.domain.errors import WrongSetting
from bursar.store.signed_call import Patience, SignedCall

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCAL_REGION: Final = "us-east-1"


def connect(environ: Mapping[str, str], *, patience: Patience | None = None) -> SignedCall:
    """Make a client of DynamoDB in AWS_REGION, or of the engine at DYNAMODB_ENDPOINT.

    Raises:
        WrongSetting: no region, no credentials, or the endpoint is not a URL.
    """
    endpoint = environ.get("DYNAMODB_ENDPOINT") or None
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None
    if region is None and endpoint is None:
        raise WrongSetting("Set AWS_REGION, or DYNAMODB_ENDPOINT for a local engine")
    region = region or _LOCAL_REGION
    return SignedCall(
        Origin.of(endpoint or regional_endpoint(region)),
        region,
        credentials_from(environ, is_local=endpoint is not None),
        patience=patience or Patience(),
    )


def regional_endpoint(region: str) -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://dynamodb.{region}.{suffix}"
