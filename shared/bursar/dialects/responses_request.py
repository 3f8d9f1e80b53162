"""OpenAI Responses: what a request asks for, its upper bound, and how it is rewritten.

Sans-IO. Source of the format: OpenAI's API reference for `POST /v1/responses`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.dialects.error_shape import ErrorShape
from bursar.dialects.hidden_reasoning import may_reason
from bursar.dialects.openai_body import Body
from bursar.dialects.responses_errors import RESPONSES_ERRORS
from bursar.dialects.responses_items import Items, measure_items, tools_in
from bursar.dialects.responses_tools import measure_tools
from bursar.domain.errors import InvalidRequest, Unpriceable, Unprocessable
from bursar.domain.models import ModelName, requested_model
from bursar.domain.pricing import Bound

if TYPE_CHECKING:
    from bursar.dialects.request import Terms
    from bursar.domain.pricing import Price

# What a template adds around an item, and the prompt that vendors put before tools.
_TOKENS_PER_ITEM = 8
_TOKENS_OF_TOOL_PROMPT = 1_024
# Far beyond any model; what a request may cost still has to fit the books' digits.
_COUNT_MAX = 10**9

_LIMIT, _CALLS_LIMIT = "max_output_tokens", "max_tool_calls"
# Fields that stand for input which only the provider knows.
_STORED_INPUT = ("previous_response_id", "conversation", "prompt")
# Fields that make a provider generate or read what no limit of the request bounds.
_UNBOUNDED_WORK = {
    "context_management": "the provider compacts the context in a pass of its own; "
    "leave it out and compact in a request of your own",
}


class _Reasoning(msgspec.Struct):
    mode: str | None = None
    effort: str | None = None


class _Fields(msgspec.Struct):
    model: str
    input: str | list[dict[str, Any]] | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    background: bool | None = None
    user: str | None = None
    tools: list[dict[str, Any]] | None = None
    service_tier: str | None = None
    reasoning: _Reasoning | None = None

    @property
    def items(self) -> list[dict[str, Any]]:
        return self.input if isinstance(self.input, list) else []


@dataclass(frozen=True, slots=True)
class ResponsesRequest:
    """A Responses request; `body` keeps every field it came with.

    Attributes:
        user: the request's own `user` field.
        wants_usage: always, because usage is a part of the last event.
    """

    body: Body
    model: ModelName
    is_streamed: bool
    user: str | None
    fields: _Fields
    wants_usage: bool = True
    endpoint: str = "/v1/responses"
    operation: str = "responses"
    content_type: str = "application/json"
    user_field: str = "user"
    is_user_advisory: bool = False
    errors: ErrorShape = RESPONSES_ERRORS

    @property
    def declared_output_tokens(self) -> int | None:
        """The limit that the request sets itself, reasoning included."""
        return self.fields.max_output_tokens

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """The most this request can use.

        Args:
            price: the model's row, for its limits.
            output_tokens_default: the longest answer where neither request nor row says one.

        Raises:
            Unpriceable: it asks for something that has no rate, or whose size nothing bounds.
        """
        _refuse_unbounded_work(self.body, self.fields)
        fields = self.fields
        tools = [*(fields.tools or ()), *tools_in(fields.items)]
        loop = measure_tools(tools, self.model.provider, fields.max_tool_calls)
        items = measure_items(fields.items, self.model.model)
        input_tokens = self._own_tokens(items, price, has_tools=bool(tools))
        each = self._tokens_per_call(price) if loop.calls else 0
        # The model reads its context before the first call and after each.
        input_tokens = (each if loop.lists_tools else input_tokens) + each * loop.calls
        return Bound(
            input_tokens,
            self._output_tokens(price, output_tokens_default),
            input_audio_tokens=min(items.media.audio_tokens, input_tokens),
            input_image_tokens=min(items.media.image_tokens, input_tokens),
            writes_cache=self._writes_cache,
            service_tier=fields.service_tier,
            web_searches=loop.searches,
            served_calls=loop.calls,
            served_calls_min=min(loop.calls, 1),
            tokens_per_call=each,
            imposes_calls=loop.is_imposed,
            may_reason=may_reason(self.model.model, fields.reasoning and fields.reasoning.effort),
        )

    @property
    def _writes_cache(self) -> bool:
        return self.body.mentions(b'"prompt_cache_options"') or self.body.mentions(
            b'"prompt_cache_breakpoint"'
        )

    def _tokens_per_call(self, price: Price | None) -> int:
        window = price.context_window_tokens if price else None
        return self._window(window, "what tools at the provider find")

    def _own_tokens(self, items: Items, price: Price | None, *, has_tools: bool) -> int:
        """Input that the request holds or names itself."""
        window = price.context_window_tokens if price else None
        stored = next((name for name in _STORED_INPUT if name in self.body), items.unbounded)
        if stored is not None:
            return self._window(window, f"'{stored}'")
        media = items.media
        tokens = len(self.body) - media.inline_bytes + media.image_tokens + media.audio_tokens
        tokens += _TOKENS_PER_ITEM * (len(self.fields.items) + 1)
        tokens += _TOKENS_OF_TOOL_PROMPT if has_tools else 0
        return tokens if window is None else min(tokens, window)

    def _window(self, window: int | None, what: str) -> int:
        if window is None:
            raise Unpriceable(
                f"The size of {what} is unknown: set 'context_window_tokens' in the price of "
                f"'{self.model}' to bound it"
            )
        return window

    def _output_tokens(self, price: Price | None, default: int) -> int:
        declared = self.declared_output_tokens
        known = price.max_output_tokens if price else None
        if declared is None:
            return default if known is None else known
        return declared if known is None else min(declared, known)

    def document(self) -> dict[str, Any]:
        return self.body.document()

    def rewritten(self, terms: Terms) -> bytes:
        """The body for the provider: its own model name, and the limits that are imposed."""
        changes: dict[str, Any] = {"model": terms.model}
        if terms.output_tokens is not None:
            changes[_LIMIT] = terms.output_tokens
        if terms.tool_calls is not None:
            changes[_CALLS_LIMIT] = terms.tool_calls
        if terms.service_tier is not None and self.fields.service_tier is None:
            changes["service_tier"] = terms.service_tier
        return self.body.rewritten(terms, **changes)


def parse_responses(raw: bytes) -> ResponsesRequest:
    """Read a request body.

    Raises:
        InvalidRequest: not JSON, a model without provider, or a background response.
        Unprocessable: a field is missing or of the wrong type.
    """
    body = Body(raw)
    fields = body.read(_Fields)
    _check(body, fields)
    return ResponsesRequest(
        body=body,
        model=requested_model(fields.model),
        is_streamed=bool(fields.stream),
        user=fields.user,
        fields=fields,
    )


def _check(body: Body, fields: _Fields) -> None:
    if "input" not in body and not any(name in body for name in _STORED_INPUT):
        raise Unprocessable("input: what the model is to answer is required", param="input")
    if fields.background:
        raise InvalidRequest(
            "A background response tells what it used only later, when nobody could be charged "
            "for it: leave 'background' out, and set 'stream' if the answer takes long",
            param="background",
        )
    limits = {_LIMIT: fields.max_output_tokens, _CALLS_LIMIT: fields.max_tool_calls}
    for name, count in limits.items():
        if count is not None and not 1 <= count <= _COUNT_MAX:
            raise InvalidRequest(f"'{name}' must be from 1 to {_COUNT_MAX}", param=name)


def _refuse_unbounded_work(body: Body, fields: _Fields) -> None:
    for name, why in _UNBOUNDED_WORK.items():
        if name in body:
            raise Unpriceable(f"'{name}' cannot be priced: {why}")
    mode = fields.reasoning.mode if fields.reasoning else None
    if mode not in (None, "standard"):
        raise Unpriceable(
            f"Reasoning mode '{mode}' cannot be priced: nothing says that 'max_output_tokens' "
            "bounds what it uses"
        )
