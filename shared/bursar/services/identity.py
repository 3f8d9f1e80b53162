"""Who is asking, and whose money it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bursar.domain.accounts import budget_limits, limits_of
from bursar.domain.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated
from bursar.domain.keys import VirtualKey, check_format, could_be_foreign, digest_of
from bursar.domain.projects import Project, is_project_user, project_user_id
from bursar.domain.users import User
from bursar.services.credentials import Credential
from bursar.services.policy import UserField

if TYPE_CHECKING:
    from bursar.dialects.request import InferenceRequest
    from bursar.domain.budgets import Budget, Limit
    from bursar.ports import Clock
    from bursar.services.lookup import Lookup
    from bursar.services.master_key import MasterKey
    from bursar.services.policy import Policy
    from bursar.services.project_lookup import ProjectLookup

_ANY_LLM_KEY = "ANY.v"
# Word for word what any-llm-gateway's clients know.
_NO_USER = {
    "user": "When using master key, 'user' field is required in request body",
    "metadata.user_id": "When using master key, 'metadata.user_id' is required in request body",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A request's origin.

    Attributes:
        key: the virtual key's record; None for the master key.
        user: who pays.
        project: which project pays; its user is `user`.
        client_id: the project's client that the request counts for.
    """

    key: VirtualKey | None
    user: User
    project: Project | None = None
    client_id: str | None = None


class Identity:
    """Turns a presented credential into a caller and the caller into accounts."""

    def __init__(
        self,
        lookup: Lookup,
        projects: ProjectLookup,
        master_key: MasterKey,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._lookup = lookup
        self._projects = projects
        self._master_key = master_key
        self._policy = policy
        self._clock = clock

    async def authenticate(self, presented: str) -> Credential:
        """What is known of a credential: the master key, a virtual key or an ANY_LLM_KEY.

        Raises:
            Unauthenticated: none of them, or a key that may not be used (any more).
        """
        if self._master_key.matches(presented):
            return Credential(presented)
        if presented.startswith(_ANY_LLM_KEY):
            return await self._vault_key(presented)
        digest = digest_of(presented)
        key = await self._issued_key(presented, digest)
        key.check_usable(digest, self._clock())
        return Credential(presented, key, await self._project_of(key))

    async def _issued_key(self, presented: str, digest: str) -> VirtualKey:
        try:
            check_format(presented)
        except Unauthenticated:
            # Whatever is no key costs no read, unless keys of any format were taken over.
            if not could_be_foreign(presented) or not await self._lookup.has_foreign_keys():
                raise
            key = await self._lookup.key_of(digest)
            if key is None:
                raise
            return key
        key = await self._lookup.key_of(digest)
        if key is None:
            raise Unauthenticated("Invalid API key")
        return key

    async def _vault_key(self, presented: str) -> Credential:
        from bursar.services.vault_opening import vault_key_of  # noqa: PLC0415 (see there)

        public_key = vault_key_of(presented).private_key.public
        project = await self._projects.project_of_vault(str(public_key), self._clock())
        if project is None:
            raise Unauthenticated("Invalid API key")
        key = VirtualKey(
            key_id=f"vault/{public_key.fingerprint}",
            user_id=project_user_id(project.project_id),
            digest="",
            created_at=project.created_at,
            project_id=project.project_id,
        )
        return Credential(presented, key, project, is_vault_key=True)

    async def _project_of(self, key: VirtualKey) -> Project | None:
        if key.project_id is None:
            return None
        project = await self._projects.project(key.project_id)
        if project is None:
            raise Unauthenticated("The project of this API key no longer exists")
        return project

    async def caller(
        self, credential: Credential, request: InferenceRequest, client_name: str | None = None
    ) -> Caller:
        """Decide who pays, given who the request itself says that it is for.

        Args:
            client_name: the project's client that the request says it is.

        Raises:
            InvalidRequest: the master key without a user.
            Forbidden: another user than the key's, a blocked one, or a project's without its key.
            NotFound: no such user.
        """
        user_id = self._payer(credential, request)
        user = await self._lookup.user(user_id)
        if user is None or user.deleted_at is not None:
            raise NotFound(f"User '{user_id}' not found")
        if user.blocked:
            raise Forbidden(f"User '{user_id}' is blocked")
        key, project, client_id = credential.key, credential.project, None
        if key is not None and project is not None:
            client_id = await self._projects.client_of(project, key.client_id, client_name)
        return Caller(key, user, project, client_id)

    def _payer(self, credential: Credential, request: InferenceRequest) -> str:
        user_id = self._named_payer(credential, request)
        if credential.project is None and is_project_user(user_id):
            raise Forbidden(f"Only the project's own keys spend for user '{user_id}'")
        return user_id

    def _named_payer(self, credential: Credential, request: InferenceRequest) -> str:
        key, policy, named = credential.key, self._policy.user_field, request.user
        if key is None:
            if not named:
                name = request.user_field
                raise InvalidRequest(_NO_USER[name], param=name)
            return named
        if request.is_user_advisory:
            return key.user_id
        if not named or policy is UserField.PASS or named == key.user_id:
            return key.user_id
        if policy is UserField.ANY:
            # A project's books are its user's: nobody else can spend for it, nor it for others.
            return named if credential.project is None else key.user_id
        raise Forbidden(f"This API key spends for user '{key.user_id}' and not for another 'user'")

    async def limits(self, caller: Caller) -> tuple[Limit, ...]:
        """The accounts that a request of this caller reserves in.

        Raises:
            Forbidden: an assigned budget does not exist, so nothing would limit.
        """
        key, user, now = caller.key, caller.user, self._clock()
        key_budget = await self._budget(key.budget_id if key else None)
        user_budget = await self._budget(user.budget_id)
        of_project: tuple[Limit, ...] = ()
        if caller.project is not None:
            budgets = await self._projects.budgets(caller.project.project_id)
            of_project = budget_limits(budgets, caller.client_id, now)
        return limits_of(key, user, key_budget, user_budget, now, of_project=of_project)

    async def _budget(self, budget_id: str | None) -> Budget | None:
        return None if budget_id is None else await self._lookup.budget(budget_id)
