"""Counting a request's tokens before it is sent: by its provider, or else by an estimate.

Counting costs nothing, so nothing is reserved and nothing is written down.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bursar.dialects.request import InferenceRequest, Terms
from bursar.domain.errors import UpstreamError
from bursar.domain.models import ModelName
from bursar.domain.upstream import Target
from bursar.ports import Upstream
from bursar.services.answers import WholeAnswer
from bursar.services.credentials import presented_credential
from bursar.services.deadline import until
from bursar.services.identity import Identity
from bursar.services.policy import Policy
from bursar.services.presence import never
from bursar.services.rates import Rates
from bursar.services.routes import Routes
from bursar.services.targets import Targets, outgoing, passage_of, terms_of
from bursar.services.uncancelled import uncancelled
from bursar.services.upstream_answers import passed_headers, read_error, refusal
from bursar.services.vault_targets import VaultTargets

if TYPE_CHECKING:
    from collections.abc import Callable

    from bursar.dialects.passage import Passage
    from bursar.domain.upstream import UpstreamRequest
    from bursar.ports import UpstreamAnswer
    from bursar.services.credentials import Credential
    from bursar.services.identity import Caller
    from bursar.services.presence import Gone

_OPERATION = "count_tokens"
# The provider counted, or says what is wrong with the request; else an estimate is of more use.
_PASSED_STATUSES = frozenset({200, 400, 413, 422})
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Answers `POST /v1/messages/count_tokens`."""

    identity: Identity
    routes: Routes
    rates: Rates
    targets: Targets
    vaults: VaultTargets
    upstream: Upstream
    policy: Policy

    async def serve(
        self,
        request_id: str,
        headers: Mapping[str, str],
        body: bytes,
        parse: Callable[[bytes], InferenceRequest],
        gone: Gone = never,
    ) -> WholeAnswer:
        """Count, of an alias for the first of its models.

        Args:
            headers: names in lower case.
            parse: the dialect's parser.
            gone: not listened to: counting is short.

        Raises:
            Refused: the caller may not ask, or the request is not one.
            StoreUnavailable: who is asking cannot be read.
        """
        credential = await self.identity.authenticate(presented_credential(headers))
        request = parse(body)
        caller = await self.identity.caller(credential, request)
        route = await self.routes.find(request.model, caller)
        ticket = await self.rates.take(caller, body_bytes=0, output_tokens=0)
        model = route.models[0]
        target = await self._target(credential, caller, model)
        counted: WholeAnswer | None = None
        if _OPERATION in target.provider.operations_of(model.model):
            asking = _Asking(request_id, request, target, model, headers)
            counted = await self._asked(asking)
        answer = counted or _estimated(request)
        limits = {} if ticket is None else ticket.headers()
        return replace(answer, headers={**answer.headers, **limits})

    async def _target(self, credential: Credential, caller: Caller, model: ModelName) -> Target:
        if caller.project is None:
            return await self.targets.find(model)
        return await self.vaults.find(credential, caller.project.project_id, model)

    async def _asked(self, asking: _Asking) -> WholeAnswer | None:
        """What the provider says, None where it does not count."""
        try:
            async with until(time.monotonic() + self.policy.request_timeout_s):
                answer = await self.upstream.send(asking.outgoing())
                try:
                    if answer.status not in _PASSED_STATUSES:
                        return None
                    return asking.told(answer, await read_error(answer))
                finally:
                    await uncancelled(answer.close())
        except UpstreamError:
            return None


@dataclass(frozen=True, slots=True)
class _Asking:
    """A request on its way to a provider that counts."""

    request_id: str
    request: InferenceRequest
    target: Target
    model: ModelName
    headers: Mapping[str, str] = field(repr=False)

    def outgoing(self) -> UpstreamRequest:
        target, name = self.target, self.model.model
        return outgoing(
            target,
            self._passage(),
            self.request,
            terms=terms_of(target, target.provider.endpoints[_OPERATION], Terms(name)),
            headers=self.headers,
            request_id=self.request_id,
        )

    def told(self, answer: UpstreamAnswer, body: bytes) -> WholeAnswer:
        """The provider's answer for the caller, who does not get to see the provider's key."""
        if answer.status == 200:
            return WholeAnswer(200, passed_headers(answer.headers), body)
        return refusal(
            answer.status,
            answer.headers,
            body,
            target=self.target,
            passage=self._passage(),
            errors=self.request.errors,
        )

    def _passage(self) -> Passage:
        return passage_of(self.request, self.target, self.model.model, created_s=0)


def _estimated(request: InferenceRequest) -> WholeAnswer:
    from bursar.dialects import messages_count as count  # noqa: PLC0415 (most processes never do)

    tokens = count.estimate_tokens(request.document())
    headers = {**_JSON, count.ESTIMATE_HEADER: count.ESTIMATED}
    return WholeAnswer(200, headers, count.count_of(tokens))
