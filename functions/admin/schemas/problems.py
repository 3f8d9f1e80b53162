"""What an error looks like, and which errors a route documents."""

from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema


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

_REF_TEMPLATE = "#/components/schemas/{model}"


def problem_schemas() -> dict[str, Any]:
    """What the references below lead to, by name."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (model, "serialization") for model in (Problem, ValidationProblem, Unhealthy)
    ]
    _, described = models_json_schema(models, ref_template=_REF_TEMPLATE)
    schemas: dict[str, Any] = described["$defs"]
    return schemas


def _answer(model: type[BaseModel], description: str) -> dict[str, Any]:
    """An error's description, by reference.

    Given the model itself, the framework would build a validator of its own for every status of
    every route: 0.15 s of each cold start, for a document that nobody may ask for.
    """
    schema = {"$ref": _REF_TEMPLATE.format(model=model.__name__)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


UNAUTHORIZED: Responses = {
    401: _answer(Problem, "No credential, a malformed one, or not the master key"),
    503: _answer(Problem, "No master key is configured, or the store is down"),
}
INVALID: Responses = {422: _answer(ValidationProblem, "Values do not validate")}
BAD_REQUEST: Responses = {400: _answer(Problem, "A value that cannot be used")}
NOT_FOUND: Responses = {404: _answer(Problem, "There is no such record")}
CONFLICT: Responses = {409: _answer(Problem, "The present state forbids it")}
FORBIDDEN: Responses = {403: _answer(Problem, "Not in this role, or a budget")}
RATE_LIMITED: Responses = {429: _answer(Problem, "Too often; see `Retry-After`")}
TOO_LARGE: Responses = {413: _answer(Problem, "The body is too large")}
UNAVAILABLE: Responses = {503: _answer(Problem, "The store is down")}
UNHEALTHY: Responses = {503: _answer(Unhealthy, "The store is down")}
