from uuid import UUID

from fastapi import APIRouter, Request, Response

from bursar.domain.errors import NotFound, Unauthenticated
from bursar.services.credentials import presented_credential
from functions.admin.acting import as_administrator, as_person
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.answers import created
from functions.admin.platform.dependencies import Me, Office, PlatformServices, Source
from functions.admin.platform.schemas.fields import Message
from functions.admin.platform.schemas.people import (
    AccountAnswer,
    AccountCreate,
    AccountList,
    KeyAddition,
    PasswordChange,
    Recovery,
    RecoveryProof,
    RecoveryStart,
)
from functions.admin.routes.paging import Limit, Skip
from functions.admin.schemas.problems import (
    BAD_REQUEST,
    CONFLICT,
    INVALID,
    NOT_FOUND,
    RATE_LIMITED,
    UNAUTHORIZED,
)
from functions.admin.services import Master

router = APIRouter(
    prefix="/api/v1/accounts",
    tags=["accounts"],
    route_class=ExactRoute,
    responses={**UNAUTHORIZED, **INVALID},
)

_SIGN_UPS_PER_MINUTE = 10
# They say where a credential may be; whether it takes one is for the rules.
_DOCUMENTED = Master[1:]


@router.post(
    "/",
    status_code=201,
    response_model=AccountAnswer,
    dependencies=_DOCUMENTED,
    responses={**BAD_REQUEST, **CONFLICT, **RATE_LIMITED},
)
async def create_account(
    wanted: AccountCreate, request: Request, office: Office, source: Source
) -> Response:
    """Make an account: under the master key, or by anybody where sign-up is open."""
    if await _signs_up_as_administrator(request, office, source):
        as_administrator(request)
    if wanted.derived is not None:
        derived = wanted.derived
        person = await office.people.create_with_key(
            wanted.email, derived.secrets(), derived.account_public_key, derived.recovery()
        )
    else:
        password = wanted.password.get_secret_value() if wanted.password else ""
        person = await office.people.create_with_password(wanted.email, password)
    return created(AccountAnswer.of(person))


@router.get("/", response_model=AccountList, dependencies=Master)
async def list_accounts(office: Office, skip: Skip = 0, limit: Limit = 100) -> Response:
    """List accounts in the order of their ids, under the master key."""
    people = await office.people.all()
    data = [AccountAnswer.of(person) for person in people[skip : skip + limit]]
    return answer(AccountList(data=data, count=len(people)))


@router.get("/me", response_model=AccountAnswer)
async def get_own_account(me: Me) -> Response:
    """Show whose token this is."""
    return answer(AccountAnswer.of(me))


@router.delete("/me", response_model=Message, responses=CONFLICT)
async def delete_own_account(me: Me, office: Office) -> Response:
    """Delete one's account, unless a project would be left without an owner."""
    await office.people.remove(me)
    return answer(Message(message="Account deleted"))


@router.post(
    "/me/password",
    response_model=AccountAnswer,
    responses={**BAD_REQUEST, **CONFLICT, **RATE_LIMITED},
)
async def change_password(
    wanted: PasswordChange, me: Me, office: Office, source: Source
) -> Response:
    """Change the password. Every session ends."""
    async with office.attempts.at_login(me.email, source):
        if wanted.derived is not None and wanted.current_login_value is not None:
            current = wanted.current_login_value.get_secret_value()
            changed = await office.people.change_secrets(me, current, wanted.derived.secrets())
        else:
            old, new = wanted.current_password, wanted.new_password
            changed = await office.people.change_password(
                me, old.get_secret_value() if old else "", new.get_secret_value() if new else ""
            )
    return answer(AccountAnswer.of(changed))


@router.post(
    "/me/key",
    response_model=AccountAnswer,
    responses={**BAD_REQUEST, **CONFLICT, **RATE_LIMITED},
)
async def add_account_key(wanted: KeyAddition, me: Me, office: Office, source: Source) -> Response:
    """Give an account that a published client made a key of its own. Every session ends."""
    current = wanted.current_login_value.get_secret_value()
    async with office.attempts.at_login(me.email, source):
        changed = await office.people.add_key(
            me, current, wanted.secrets(), wanted.account_public_key, wanted.recovery()
        )
    return answer(AccountAnswer.of(changed))


@router.post("/recovery", response_model=RecoveryStart, responses={**NOT_FOUND, **RATE_LIMITED})
async def start_recovery(
    proof: RecoveryProof, request: Request, office: Office, source: Source
) -> Response:
    """Show the account's key as the recovery key wraps it, to who has that."""
    value = proof.recovery_login_value.get_secret_value()
    person = await office.sign_in.by_recovery(proof.email, value, source)
    as_person(request, person)
    if person.recovery_wrapped_account_key is None or person.account_public_key is None:
        raise NotFound("This account has no key")
    return answer(
        RecoveryStart(
            recovery_wrapped_account_key=person.recovery_wrapped_account_key,
            account_public_key=person.account_public_key,
        )
    )


@router.post(
    "/recovery/complete", response_model=AccountAnswer, responses={**BAD_REQUEST, **RATE_LIMITED}
)
async def complete_recovery(
    wanted: Recovery, request: Request, office: Office, source: Source
) -> Response:
    """Set a new password and a new recovery key. Every session ends."""
    value = wanted.recovery_login_value.get_secret_value()
    person = await office.sign_in.by_recovery(wanted.email, value, source)
    as_person(request, person)
    changed = await office.people.recover(person, wanted.secrets(), wanted.recovery())
    return answer(AccountAnswer.of(changed))


@router.delete(
    "/{account_id:uuid}",
    response_model=Message,
    dependencies=Master,
    responses={**NOT_FOUND, **CONFLICT},
)
async def delete_account(account_id: UUID, office: Office) -> Response:
    """Delete somebody's account, under the master key."""
    await office.people.remove(await office.people.get(str(account_id)))
    return answer(Message(message="Account deleted"))


async def _signs_up_as_administrator(
    request: Request, office: PlatformServices, source: str
) -> bool:
    """Whoever has the master key may, as often as they like, and others where sign-up is open."""
    if not office.rules.sign_up_open:
        office.master_key.check_configured()
        office.master_key.check(presented_credential(request.headers))
        return True
    is_administrator = _has_master_key(request, office)
    if not is_administrator:
        await office.attempts.take("sign-up", source, _SIGN_UPS_PER_MINUTE)
    return is_administrator


def _has_master_key(request: Request, office: PlatformServices) -> bool:
    try:
        return office.master_key.matches(presented_credential(request.headers))
    except Unauthenticated:
        return False
