"""Parameters of AWS Systems Manager, read with their secrets opened.

One operation of its API, GetParametersByPath, over the same signed client as the store's: boto3
would cost the data plane 0.2 s of every cold start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from bursar.aws.credentials import credentials_from
from bursar.aws.sigv4 import Service
from bursar.aws.transport import Origin
from bursar.domain.errors import StoreUnavailable, WrongSetting
from bursar.store.errors import OperationRefused
from bursar.store.signed_call import Patience, SignedCall

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEMS_MANAGER: Final = Service("ssm", "AmazonSSM", "application/x-amz-json-1.1")
_OPERATION: Final = "GetParametersByPath"
_PATH: Final = re.compile(r"(/[A-Za-z0-9_.-]+)+")
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL")
"""The variables by which every SDK of AWS's is sent elsewhere, to an emulator for instance."""


class Parameters(Protocol):
    async def under(self, path: str) -> Mapping[str, str]:
        """Every parameter's value by its name behind `path` and a slash.

        Raises:
            StoreUnavailable: they cannot be read now.
        """
        ...


class SystemsManager:
    """The parameters of one account and region."""

    def __init__(self, call: SignedCall) -> None:
        self._call = call

    async def under(self, path: str) -> Mapping[str, str]:
        try:
            return await self._every_page(path)
        finally:
            await self._call.close()  # the next reading is minutes away

    async def _every_page(self, path: str) -> Mapping[str, str]:
        found: dict[str, str] = {}
        request = {"Path": path, "Recursive": True, "WithDecryption": True}
        while True:
            page = await self._page(request)
            found |= {it.name.removeprefix(f"{path}/"): it.value for it in page.parameters}
            if not page.next_token:
                return found
            request["NextToken"] = page.next_token

    async def _page(self, request: Mapping[str, object]) -> _Page:
        try:
            return msgspec.convert(await self._call(_OPERATION, request), _Page)
        except OperationRefused as refused:
            reason = f"Systems Manager refused {_OPERATION}: {refused.error_type}"
        except StoreUnavailable:
            reason = f"Systems Manager did not carry out {_OPERATION}"
        except msgspec.ValidationError:
            reason = f"Systems Manager's answer to {_OPERATION} is not what it documents"
        # Without the cause: an answer that cannot be read may hold a key all the same.
        raise StoreUnavailable(reason)


class _Parameter(msgspec.Struct, rename="pascal"):
    name: str
    value: str

    def __repr__(self) -> str:
        return f"_Parameter({self.name!r})"


class _Page(msgspec.Struct, rename="pascal"):
    """GetParametersByPath's answer, as its API reference has it."""

    parameters: list[_Parameter]
    next_token: str | None = None


def connect_parameters(environ: Mapping[str, str]) -> SystemsManager:
    """Make a client of Systems Manager in AWS_REGION, or of the emulator an SDK would ask.

    Raises:
        WrongSetting: no region, no credentials, or the endpoint is not a URL.
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise WrongSetting("Set AWS_REGION, where the parameters of the provider keys are")
    endpoint = next((environ[name] for name in _ENDPOINTS if environ.get(name)), None)
    call = SignedCall(
        Origin.of(endpoint or _regional_endpoint(region)),
        region,
        credentials_from(environ, is_local=False),
        service=SYSTEMS_MANAGER,
        patience=Patience(tries_max=4, deadline_s=6.0),
    )
    return SystemsManager(call)


def _regional_endpoint(region: str) -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://ssm.{region}.{suffix}"


def checked_path(path: str) -> str:
    """The path, if parameters can stand under it.

    Raises:
        WrongSetting: it does not begin with a slash, ends with one, or has odd characters.
    """
    if not _PATH.fullmatch(path):
        raise WrongSetting(
            "BURSAR_PROVIDER_KEYS_PATH must be a path of parameters such as /bursar/dev/providers"
        )
    return path
