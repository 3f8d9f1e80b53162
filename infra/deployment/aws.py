"""What a deployment asks of AWS beside SAM, with the library that SAM brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Account:
    """One account's region, by the credentials that SAM uses, too."""

    def __init__(self, region: str | None, endpoint_url: str | None = None) -> None:
        self._session = boto3.Session(region_name=region)
        self._endpoint_url = endpoint_url

    @property
    def region(self) -> str:
        """Raises ValueError where none is set."""
        region: str | None = self._session.region_name
        if region is None:
            raise ValueError("No region: set AWS_REGION, or give --region")
        return region

    def outputs(self, stack: str) -> Mapping[str, str] | None:
        """What a stack gives out, or None where there is no such stack."""
        try:
            found = self._client("cloudformation").describe_stacks(StackName=stack)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return None
            raise
        listed = found["Stacks"][0].get("Outputs", [])
        return {it["OutputKey"]: it["OutputValue"] for it in listed}

    def keep_provider_key(self, path: str, provider: str, api_key: str) -> None:
        """Write a provider key to its parameter, encrypted."""
        self._client("ssm").put_parameter(
            Name=f"{path}/{provider}/api_key", Value=api_key, Type="SecureString", Overwrite=True
        )

    def _client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint_url)
