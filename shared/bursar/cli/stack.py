"""A deployed stack, asked with the caller's own AWS identity.

CloudFormation tells what the stack is made of; the control plane's function is invoked itself, so
whoever may do that needs no master key.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.connection import read_answer, with_query
from bursar.cli.exact_json import dumped
from bursar.cli.failures import NOT_ALLOWED, NOT_FOUND, Failed

if TYPE_CHECKING:
    from bursar.cli.profiles import Profile

# Lambda takes the snapshot of a version away that nobody used for two weeks. Whoever asks first is
# refused and starts the making of another.
_NOT_READY: Final = ("ResourceConflictException", "SnapStartNotReadyException")
_NOT_ALLOWED: Final = ("AccessDeniedException", "AccessDenied", "UnrecognizedClientException")
_WAKING_S: Final = 180.0
_PAUSE_S: Final = 1.0


@dataclass(frozen=True)
class StackConnection:
    """One stack.

    Attributes:
        outputs: the stack's, by name.
        session: boto3's, for whatever else belongs to the stack.
    """

    stack: str
    region: str
    outputs: Mapping[str, str]
    session: Any = field(repr=False)

    @classmethod
    def found(cls, profile: Profile) -> StackConnection:
        """Look a stack up.

        Raises:
            Failed: there is none, or AWS does not let the caller see it.
        """
        import boto3  # noqa: PLC0415 (a quarter of a second that only a stack costs)
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            session = boto3.Session(profile_name=profile.aws_profile, region_name=profile.region)
            client = session.client("cloudformation")
            (found,) = client.describe_stacks(StackName=profile.stack)["Stacks"]
        except ClientError as error:
            raise _not_found(profile, error) from None
        except BotoCoreError as error:
            raise Failed(f"AWS cannot be asked: {error}", NOT_ALLOWED) from None
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
        if "AdminFunctionName" not in outputs:
            raise Failed(f"Stack {profile.stack} is not a Bursar gateway, or is not yet deployed")
        return cls(str(profile.stack), session.region_name, outputs, session)

    @property
    def name(self) -> str:
        return f"stack {self.stack} in {self.region}"

    @property
    def url(self) -> str:
        """The gateway's public address."""
        return self.outputs["ApiUrl"]

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        command = {
            "method": method,
            "path": with_query(path, query),
            "body": None if body is None else dumped(body),
            "caller": self.caller,
        }
        invoked = self._lambda if method == "GET" else self._lambda_once
        answer = self._invoke(invoked, json.dumps({"bursar": command}).encode())
        content = str(answer.get("body") or "").encode()
        headers = {name.lower(): str(value) for name, value in answer.get("headers", {}).items()}
        return read_answer(int(answer["statusCode"]), content, headers)

    def _invoke(self, client: Any, payload: bytes) -> dict[str, Any]:
        deadline_s = time.monotonic() + _WAKING_S
        is_told = False
        while (done := self._tried(client, payload, is_last=time.monotonic() > deadline_s)) is None:
            if not is_told:
                click.echo("The control plane is being made ready, which takes a moment", err=True)
                is_told = True
            time.sleep(_PAUSE_S)
        if "FunctionError" in done:
            raise Failed("The control plane failed: bursar logs tail --function admin shows why")
        answer: dict[str, Any] = json.loads(done["Payload"].read())
        return answer

    def _tried(self, client: Any, payload: bytes, *, is_last: bool) -> Any:
        """What an invocation gave; None if the function is not ready and there is time to wait."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        name = self.outputs["AdminFunctionName"]
        try:
            return client.invoke(FunctionName=name, Qualifier="live", Payload=payload)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _NOT_READY and not is_last:
                return None
            hint = f": you need lambda:InvokeFunction on {name}" if code in _NOT_ALLOWED else ""
            exit_code = NOT_ALLOWED if code in _NOT_ALLOWED else 1
            raise Failed(
                f"The control plane cannot be invoked ({error}){hint}", exit_code
            ) from None
        except BotoCoreError as error:
            raise Failed(f"AWS cannot be asked: {error}", NOT_ALLOWED) from None

    @cached_property
    def _lambda(self) -> Any:
        return self.session.client("lambda")

    @cached_property
    def _lambda_once(self) -> Any:
        """For what changes something: boto3 would send it again where no answer comes."""
        from botocore.config import Config  # noqa: PLC0415 (a quarter of a second, as boto3)

        return self.session.client("lambda", config=Config(retries={"total_max_attempts": 1}))

    @cached_property
    def caller(self) -> str:
        """Who asks, for the audit log."""
        return str(self.session.client("sts").get_caller_identity()["Arn"])


def _not_found(profile: Profile, error: Any) -> Failed:
    code = error.response["Error"]["Code"]
    if code == "ValidationError":
        where = profile.region or "the region of your AWS configuration"
        return Failed(f"There is no stack {profile.stack} in {where}", NOT_FOUND)
    return Failed(f"AWS refuses to show the stack ({code}): check your credentials", NOT_ALLOWED)
