from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response

from bursar.domain.errors import RequestTooLarge, Unprocessable
from functions.admin.acting import as_person
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.dependencies import Bearer, Me, Office, Source
from functions.admin.platform.schemas.fields import Message
from functions.admin.platform.schemas.people import (
    DerivedLogin,
    LoginParameters,
    LoginParametersRequest,
    TokenAnswer,
)
from functions.admin.schemas.problems import INVALID, RATE_LIMITED, TOO_LARGE, UNAUTHORIZED

router = APIRouter(
    prefix="/api/v1",
    tags=["accounts"],
    route_class=ExactRoute,
    responses={**UNAUTHORIZED, **INVALID},
)

_FORM_BYTES_MAX = 16 * 1024
_FORM_FIELDS_MAX = 20
_EMAIL_CHARS_MAX = 254
_PASSWORD_CHARS_MAX = 1024
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["username", "password"],
                    "properties": {
                        "username": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": _EMAIL_CHARS_MAX,
                        },
                        "password": {
                            "type": "string",
                            "format": "password",
                            "minLength": 1,
                            "maxLength": _PASSWORD_CHARS_MAX,
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    "/login/access-token",
    response_model=TokenAnswer,
    responses={**RATE_LIMITED, **TOO_LARGE},
    openapi_extra=_FORM,
)
async def log_in(request: Request, office: Office, source: Source) -> Response:
    """Sign in with email and password, as the published clients do.

    The password reaches the server, which derives what it compares and keeps nothing else.
    """
    form = _form(await request.body())
    email = _field(form, "username", _EMAIL_CHARS_MAX)
    password = _field(form, "password", _PASSWORD_CHARS_MAX)
    signed_in = await office.sign_in.by_password(email, password, source)
    as_person(request, signed_in.person)
    return answer(TokenAnswer.of(signed_in))


@router.post("/login/parameters", response_model=LoginParameters, responses=RATE_LIMITED)
async def get_login_parameters(
    wanted: LoginParametersRequest, office: Office, source: Source
) -> Response:
    """How a password is to be stretched. An unknown email gets an answer like any other."""
    await office.attempts.take("login-parameters", source, office.rules.challenge_rpm)
    return answer(LoginParameters(kdf=await office.sign_in.parameters(wanted.email)))


@router.post("/login/derived", response_model=TokenAnswer, responses=RATE_LIMITED)
async def log_in_without_password(
    wanted: DerivedLogin, request: Request, office: Office, source: Source
) -> Response:
    """Sign in with what the password yields: the password itself stays where it was typed."""
    value = wanted.login_value.get_secret_value()
    signed_in = await office.sign_in.by_login_value(wanted.email, value, source)
    as_person(request, signed_in.person)
    return answer(TokenAnswer.of(signed_in))


@router.post("/logout", response_model=Message)
async def log_out(me: Me, token: Bearer, office: Office) -> Response:  # noqa: ARG001 (signed in)
    """End this session."""
    await office.sign_in.end(token)
    return answer(Message(message="Signed out"))


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form, each once. A framework's parser would need a package of its own."""
    if len(body) > _FORM_BYTES_MAX:
        raise RequestTooLarge("A username and a password are not that long")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_FORM_FIELDS_MAX)
    except ValueError:
        raise Unprocessable("The body is no form", param="username") from None
    return {name: values[-1] for name, values in fields.items()}


def _field(form: dict[str, str], name: str, chars_max: int) -> str:
    value = form.get(name, "")
    if not 0 < len(value) <= chars_max:
        raise Unprocessable(f"The form has a {name} of 1 to {chars_max} characters", param=name)
    return value
