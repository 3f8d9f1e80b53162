"""Asks a gateway's platform API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bursar.cli.connection import HttpConnection
from bursar.cli.login_file import Login, read_login


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway's address and the credential that it is asked with.

    Attributes:
        url: without `/api/v1`.
        bearer: a person's token or the master key; None presents nothing.
    """

    url: str
    bearer: str | None = field(default=None, repr=False)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send one request; see `Connection.ask`."""
        return HttpConnection(self.url, self.bearer).ask(method, f"/api/v1{path}", body)


def signed_in() -> tuple[Login, Gateway]:
    """Who is signed in, and their gateway.

    Raises:
        Failed: nobody is.
    """
    login = read_login()
    return login, Gateway(login.url, login.token)
