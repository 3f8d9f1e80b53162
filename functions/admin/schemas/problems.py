"""What an error looks like, and which errors a route documents."""

from typing import Any

from pydantic import BaseModel, Field


class ErrorObject(BaseModel):
    """An error as OpenAI's SDKs read it."""

    message: str
    type: str
    param: str | None
    code: str | None


class Problem(BaseModel):
    """An error: `detail` as the seed gateway wrote it, and the same for OpenAI's SDKs."""

    detail: str
    error: ErrorObject


class InvalidField(BaseModel):
    """A value that does not validate."""

    type: str
    loc: list[str | int] = Field(description="Where: `body`, `query` or `path`, then the field.")
    msg: str
    input: Any = None
    ctx: dict[str, Any] | None = None


class ValidationProblem(BaseModel):
    """Values that do not validate."""

    detail: list[InvalidField]
    error: ErrorObject


class UnhealthyDetail(BaseModel):
    """What is wrong with the gateway."""

    status: str
    database: str
    version: str


class Unhealthy(BaseModel):
    """The gateway cannot work."""

    detail: UnhealthyDetail
    error: ErrorObject


Responses = dict[int | str, dict[str, Any]]

UNAUTHORIZED: Responses = {
    401: {"model": Problem, "description": "No credential, a malformed one, or not the master key"},
    503: {"model": Problem, "description": "No master key is configured, or the store is down"},
}
INVALID: Responses = {422: {"model": ValidationProblem, "description": "Values do not validate"}}
BAD_REQUEST: Responses = {400: {"model": Problem, "description": "A value that cannot be used"}}
NOT_FOUND: Responses = {404: {"model": Problem, "description": "There is no such record"}}
CONFLICT: Responses = {409: {"model": Problem, "description": "The present state forbids it"}}
FORBIDDEN: Responses = {403: {"model": Problem, "description": "Not in this role, or a budget"}}
RATE_LIMITED: Responses = {429: {"model": Problem, "description": "Too often; see `Retry-After`"}}
TOO_LARGE: Responses = {413: {"model": Problem, "description": "The body is too large"}}
UNAVAILABLE: Responses = {503: {"model": Problem, "description": "The store is down"}}
UNHEALTHY: Responses = {503: {"model": Unhealthy, "description": "The store is down"}}
