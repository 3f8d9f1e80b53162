"""How a command ends that cannot do its work: what went wrong, what to do, and an exit code.

0  done
1  anything that is not below
2  wrong usage, or a value that the gateway does not take
3  not found
4  not signed in, or not allowed
5  in conflict with what is there, or with a budget
6  a check of `bursar doctor` failed
130  ended by Ctrl-C
141  whoever read the output stopped reading
"""

from __future__ import annotations

from typing import Final

import click

from bursar.cli.printable import printable

WRONG_USAGE: Final = 2
NOT_FOUND: Final = 3
NOT_ALLOWED: Final = 4
CONFLICT: Final = 5
UNHEALTHY: Final = 6
_BY_STATUS = {
    400: WRONG_USAGE,
    401: NOT_ALLOWED,
    402: CONFLICT,
    403: NOT_ALLOWED,
    404: NOT_FOUND,
    409: CONFLICT,
    422: WRONG_USAGE,
}


class Failed(click.ClickException):
    """What went wrong, and what to do about it."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance

    def format_message(self) -> str:
        """As a terminal may show it: it may quote what somebody else has written."""
        return printable(self.message, keeps="\n")


class RefusedByGateway(Failed):
    """The gateway answered with an error."""

    def __init__(self, status: int, detail: str, request_id: str | None) -> None:
        about = f" (request {request_id})" if request_id else ""
        super().__init__(f"{detail}{about}", _BY_STATUS.get(status, 1))
        self.detail = detail
        self.status = status
        self.request_id = request_id
