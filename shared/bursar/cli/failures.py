"""How a command ends that cannot do its work: one line on standard error, and an exit code.

0  done
1  anything that is not below
2  wrong usage (click's own)
3  not found
4  not signed in, or not allowed
5  in conflict with what is there, or with a budget
"""

from __future__ import annotations

import click

_BY_STATUS = {401: 4, 403: 4, 404: 3, 409: 5}


class Failed(click.ClickException):
    """What went wrong, and what to do about it."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance


class RefusedByGateway(Failed):
    """The gateway answered with an error."""

    def __init__(self, status: int, detail: str, request_id: str | None) -> None:
        about = f" (request {request_id})" if request_id else ""
        super().__init__(f"{detail}{about}", _BY_STATUS.get(status, 1))
        self.status = status
