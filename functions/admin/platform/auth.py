from fastapi import APIRouter, Request, Response

from functions.admin.acting import as_project
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.dependencies import Office, Source
from functions.admin.platform.schemas.direct import (
    ChallengeAnswer,
    ChallengeRequest,
    ProjectTokenAnswer,
    TokenRequest,
)
from functions.admin.schemas.problems import (
    BAD_REQUEST,
    INVALID,
    NOT_FOUND,
    RATE_LIMITED,
    UNAUTHORIZED,
)

router = APIRouter(
    prefix="/api/v1/auth", tags=["direct mode"], route_class=ExactRoute, responses=INVALID
)


@router.post(
    "/",
    response_model=ChallengeAnswer,
    responses={**BAD_REQUEST, **NOT_FOUND, **RATE_LIMITED},
)
async def create_challenge(wanted: ChallengeRequest, office: Office, source: Source) -> Response:
    """Seal a random id to a vault's public key: whoever tells it can open the vault."""
    sealed = await office.challenges.issue(wanted.encryption_key, source)
    return answer(ChallengeAnswer(encrypted_challenge=sealed))


@router.post("/token", response_model=ProjectTokenAnswer, responses=UNAUTHORIZED)
async def redeem_challenge(wanted: TokenRequest, request: Request, office: Office) -> Response:
    """Give a token for a solved challenge, which is good once."""
    session = await office.challenges.redeem(wanted.solved_challenge)
    as_project(request, session.project.project_id)
    token = await office.challenges.token(session)
    return answer(ProjectTokenAnswer(access_token=token.token, expires_in=token.expires_in_s))
