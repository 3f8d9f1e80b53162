"""What a stack's control plane is asked is asked once, whatever AWS's own client would do."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bursar.cli.failures import Failed
from bursar.cli.stack import StackConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

_OUTPUTS = {"AdminFunctionName": "admin", "ApiUrl": "https://gateway.invalid"}


class _Silent:
    """Takes requests and closes their connections without an answer."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.requests = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                if connection.recv(65_536):
                    self.requests += 1

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)


@pytest.fixture
def silent() -> Iterator[_Silent]:
    it = _Silent()
    yield it
    it.close()


def test_a_change_that_is_not_answered_is_not_asked_for_again(
    silent: _Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", silent.url)
    session = boto3.Session("key", "secret", region_name="eu-central-1")
    connection = StackConnection("bursar", "eu-central-1", _OUTPUTS, session)
    # Who asks is found out by a request of its own.
    connection.__dict__["caller"] = "arn:aws:iam::1:user/ada"
    with pytest.raises(Failed, match="AWS cannot be asked"):
        connection.ask("POST", "/v1/keys", {"user_id": "ada"})
    assert silent.requests == 1


class _Refusing:
    """Stands for boto3's session and its client."""

    def __init__(self, code: str) -> None:
        self._code = code

    def client(self, *_: Any, **__: Any) -> Any:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::1:user/ada"}

    def invoke(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, "Invoke")


@pytest.mark.parametrize(
    ("code", "exit_code", "has_hint"),
    [("AccessDeniedException", 4, True), ("TooManyRequestsException", 1, False)],
)
def test_a_permission_is_named_only_where_one_is_missing(
    code: str, exit_code: int, *, has_hint: bool
) -> None:
    connection = StackConnection("bursar", "eu-central-1", _OUTPUTS, _Refusing(code))
    with pytest.raises(Failed, match=code) as refused:
        connection.ask("GET", "/v1/keys")
    assert refused.value.exit_code == exit_code
    assert ("lambda:InvokeFunction" in refused.value.message) is has_hint
