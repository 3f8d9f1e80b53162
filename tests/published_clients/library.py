"""The published client library, in a process of its own, called as if it were imported here."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.published_clients.environments import Environment

SECRET = "sk-canary-sealed-by-the-published-client"


class ClientError(Exception):
    """What the library raised.

    Attributes:
        kind: the name of its class there.
        says: its text there.
    """

    def __init__(self, kind: str, says: str) -> None:
        super().__init__(f"{kind}: {says}")
        self.kind = kind
        self.says = says


class Library:
    """A process that has imported the library."""

    def __init__(self, environment: Environment, origin: str) -> None:
        self._numbers = count()
        self._process = subprocess.Popen(
            environment.command("library.py"),
            env=environment.environ(origin),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def client(self, client_name: str | None = None) -> Client:
        """A new `AnyLLMPlatformClient`, logged in nowhere."""
        return Client(self, next(self._numbers), client_name)

    def ask(self, **request: Any) -> Any:
        """Make a call there.

        Raises:
            ClientError: it raised.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        outcome = json.loads(self._process.stdout.readline())
        if "raised" in outcome:
            raise ClientError(outcome["raised"], outcome["says"])
        return outcome["returned"]


class Client:
    """One of the library's clients: all of its methods, and beside them `generate` and `seal`."""

    def __init__(self, library: Library, number: int, client_name: str | None) -> None:
        self._library = library
        self._identity = {"client": number, "client_name": client_name}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._library.ask(**self._identity, call=name, args=args, kwargs=kwargs)

        return call


@dataclass(frozen=True, slots=True)
class Project:
    """A project with a key of its own, and what the vault has for it under `openai`."""

    id: str
    any_llm_key: str
    public_key: str
    provider_key_id: str


def project_with_a_key(client: Client, secret: str = SECRET) -> Project:
    """Make a project, and seal a provider's key for it."""
    key = client.generate()
    project = client.create_project("vault", encryption_key=key["public_key"])
    sealed = client.seal(secret, key["any_llm_key"])
    stored = client.create_provider_key_mgmt(project["id"], "openai", sealed)
    return Project(project["id"], key["any_llm_key"], key["public_key"], stored["id"])
