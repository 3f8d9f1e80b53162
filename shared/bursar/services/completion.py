"""The life of a request, on one screen.

authenticate → parse → who pays → where to → quote → count → reserve → relay and meter → settle
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bursar.domain.errors import BursarError
from bursar.domain.events import Observe, TurnedAway, unobserved
from bursar.domain.models import check_allowed
from bursar.ports import Clock
from bursar.services.credentials import CLIENT_NAME_HEADER, Credential, presented_credential
from bursar.services.exchange import Exchange
from bursar.services.identity import Identity
from bursar.services.last_use import LastUse
from bursar.services.lookup import Lookup
from bursar.services.policy import Policy
from bursar.services.presence import never, while_present
from bursar.services.quoting import quote_request
from bursar.services.rates import Rates
from bursar.services.tab import Till
from bursar.services.targets import Targets, passage_of
from bursar.services.vault_targets import VaultTargets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bursar.dialects.request import InferenceRequest
    from bursar.domain.models import ModelName
    from bursar.domain.upstream import Target
    from bursar.services.answers import StreamedAnswer, WholeAnswer
    from bursar.services.identity import Caller
    from bursar.services.presence import Gone
    from bursar.services.tab import Tab


@dataclass(frozen=True, slots=True)
class Completion:
    """Serves inference requests of every dialect."""

    identity: Identity
    lookup: Lookup
    targets: Targets
    vaults: VaultTargets
    rates: Rates
    till: Till
    exchange: Exchange
    last_use: LastUse
    policy: Policy
    clock: Clock
    observe: Observe = unobserved

    async def serve(
        self,
        request_id: str,
        headers: Mapping[str, str],
        body: bytes,
        parse: Callable[[bytes], InferenceRequest],
        gone: Gone = never,
    ) -> WholeAnswer | StreamedAnswer:
        """Carry one request from its credential to its settled books.

        Args:
            headers: names in lower case.
            parse: the dialect's parser.
            gone: returns when the caller has left. That ends a stream, even before its first
                byte; a whole answer is read to its end, since only the end tells what it cost.

        Raises:
            CallerGone: the caller of a stream left before it began.
            Refused: the request was not sent to the provider, and nothing is charged.
            UpstreamError: the provider failed; its record says what was charged.
            StoreUnavailable: the ledger cannot be reached, so nothing may be spent.
        """
        with self._counting_who_is_turned_away(request_id):
            credential = await self.identity.authenticate(presented_credential(headers))
            request = parse(body)
            client_name = headers.get(CLIENT_NAME_HEADER)
            caller = await self.identity.caller(credential, request, client_name)
            _check_models(caller, request.model)
            target = await self._target(credential, request)
            created_s = int(self.clock().timestamp())
            passage = passage_of(request, target, request.model.model, created_s)
            limits = await self.identity.limits(caller)
            price = await self.lookup.price(str(request.model))
            is_limited = any(limit.limit_usd is not None for limit in limits)
            quote = quote_request(request, price, self.policy, is_limited=is_limited)
            ticket = await self.rates.take(
                caller, body_bytes=len(body), output_tokens=request.declared_output_tokens
            )
            tab = await self.till.open(request_id, caller, request, quote, limits)
            tab.ticket, tab.provider_key_id = ticket, target.provider_key_id
        exchange = self.exchange.run(tab, target, passage, headers)
        answer = await (while_present(exchange, gone) if request.is_streamed else exchange)
        await self.last_use.note(credential.issued_key)
        await self.last_use.note_provider_key(caller.project, target.provider_key_id)
        return replace(answer, headers={**answer.headers, **_headers_of(tab)})

    async def _target(self, credential: Credential, request: InferenceRequest) -> Target:
        """The deployment's provider, or with a project's key the project's own."""
        model, project = request.model, credential.project
        if project is None:
            return await self.targets.find(model)
        return await self.vaults.find(credential, project.project_id, model)

    @contextmanager
    def _counting_who_is_turned_away(self, request_id: str) -> Iterator[None]:
        try:
            yield
        except BursarError as error:
            self.observe(TurnedAway(request_id, error.code))
            raise


def _check_models(caller: Caller, model: ModelName) -> None:
    if caller.key is not None:
        check_allowed(model, caller.key.allowed_models, "This API key")
    check_allowed(model, caller.user.allowed_models, f"User '{caller.user.user_id}'")


def _headers_of(tab: Tab) -> dict[str, str]:
    headers = {} if tab.ticket is None else tab.ticket.headers()
    if tab.cost_usd is not None:
        headers["x-bursar-cost-usd"] = f"{tab.cost_usd:f}"
    if tab.quote.was_lowered:
        headers["x-bursar-output-limit"] = str(tab.quote.imposed_output_tokens)
    return headers
