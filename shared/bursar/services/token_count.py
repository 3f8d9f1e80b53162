"""Counting a request's tokens before it is sent: by its provider, or else by an estimate.

Counting costs nothing, so nothing is reserved and nothing is written down.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bursar.dialects.request import Terms
from bursar.domain.errors import UpstreamError
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
from bursar.services.upstream_answers import passed_headers, read_error
from bursar.services.vault_targets import VaultTargets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.dialects.request import InferenceRequest
    from bursar.domain.models import ModelName
    from bursar.domain.upstream import Target, UpstreamRequest
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
        await self.rates.take(caller, body_bytes=0, output_tokens=0)
        model = route.models[0]
        target = await self._target(credential, caller, model)
        if _OPERATION in target.provider.operations_of(model.model):
            sent = _request(request_id, request, target, model=model, headers=headers)
            counted = await self._asked(sent)
            if counted is not None:
                return counted
        return _estimated(request)

    async def _target(self, credential: Credential, caller: Caller, model: ModelName) -> Target:
        if caller.project is None:
            return await self.targets.find(model)
        return await self.vaults.find(credential, caller.project.project_id, model)

    async def _asked(self, request: UpstreamRequest) -> WholeAnswer | None:
        """What the provider says, None where it does not count."""
        try:
            async with until(time.monotonic() + self.policy.request_timeout_s):
                answer = await self.upstream.send(request)
                try:
                    if answer.status not in _PASSED_STATUSES:
                        return None
                    body = await read_error(answer)
                    return WholeAnswer(answer.status, passed_headers(answer.headers), body)
                finally:
                    await uncancelled(answer.close())
        except UpstreamError:
            return None


def _request(
    request_id: str,
    request: InferenceRequest,
    target: Target,
    *,
    model: ModelName,
    headers: Mapping[str, str],
) -> UpstreamRequest:
    passage = passage_of(request, target, model.model, created_s=0)
    endpoint = target.provider.endpoints[_OPERATION]
    terms = terms_of(target, endpoint, Terms(model.model))
    return outgoing(target, passage, request, terms=terms, headers=headers, request_id=request_id)


def _estimated(request: InferenceRequest) -> WholeAnswer:
    from bursar.dialects import messages_count as count  # noqa: PLC0415 (most processes never do)

    tokens = count.estimate_tokens(request.document())
    headers = {**_JSON, count.ESTIMATE_HEADER: count.ESTIMATED}
    return WholeAnswer(200, headers, count.count_of(tokens))
