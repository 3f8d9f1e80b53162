"""OpenAI chat completions: what a request asks for, its upper bound, and how it is rewritten.

Sans-IO. Source of the format: OpenAI's API reference for `POST /v1/chat/completions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import msgspec

from bursar.dialects.error_shape import ErrorShape
from bursar.dialects.hidden_reasoning import may_reason
from bursar.dialects.openai_body import Body
from bursar.dialects.openai_errors import OPENAI_ERRORS
from bursar.dialects.openai_media import Media, measure_media
from bursar.domain.errors import InvalidRequest, Unpriceable, Unprocessable
from bursar.domain.models import ModelName, requested_model
from bursar.domain.pricing import Bound

if TYPE_CHECKING:
    from bursar.dialects.request import Terms
    from bursar.domain.pricing import Price

# What a chat template adds around a message, and the prompt by which vendors explain tools and
# schemas to the model.
_TOKENS_PER_MESSAGE = 8
_TOKENS_OF_HIDDEN_PROMPT = 1_024

OUTPUT_LIMIT_FIELDS = ("max_completion_tokens", "max_tokens")
# Far beyond any model; what a request may cost still has to fit the books' digits.
_COUNT_MAX = 10**9
_FUNCTION_TOOLS = frozenset({"function", "custom", None})

# Fields that make a provider bill something that has no upper bound, or no rate.
_SURCHARGED = {
    "search_parameters": "live search is billed by the source",
    "plugins": "plugins are billed by the call",
    "models": "fallback models are billed at their own prices",
}


class _Fields(msgspec.Struct):
    model: str
    messages: list[dict[str, Any]]
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    user: str | None = None
    tools: list[dict[str, Any]] | None = None
    service_tier: str | None = None
    modalities: list[str] | None = None
    reasoning_effort: Any = None
    reasoning: Any = None

    @property
    def effort(self) -> Any:
        """How much to reason, by either name; None where the request does not say."""
        if self.reasoning_effort is not None or not isinstance(self.reasoning, dict):
            return self.reasoning_effort
        is_off = self.reasoning.get("enabled") is False
        return "none" if is_off else self.reasoning.get("effort")


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat completion request; `body` keeps every field it came with.

    Attributes:
        user: the request's own `user` field.
        wants_usage: the caller asked for the stream's usage chunk.
    """

    body: Body
    model: ModelName
    is_streamed: bool
    wants_usage: bool
    user: str | None
    fields: _Fields
    endpoint: str = "/v1/chat/completions"
    operation: str = "chat"
    content_type: str = "application/json"
    user_field: str = "user"
    is_user_advisory: bool = False
    errors: ErrorShape = OPENAI_ERRORS

    @property
    def declared_output_tokens(self) -> int | None:
        """The output limit that the request sets itself."""
        declared = (self.fields.max_completion_tokens, self.fields.max_tokens)
        return max((limit for limit in declared if limit is not None), default=None)

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """The most this request can use.

        Args:
            price: the model's row, for its limits.
            output_tokens_default: the longest answer where neither request nor row says one.

        Raises:
            Unpriceable: it asks for something that no token price covers, or whose size is unknown.
        """
        _refuse_surcharges(self.body, self.fields)
        fields, modalities = self.fields, self.fields.modalities or ()
        media = measure_media(fields.messages, self.model.model)
        input_tokens = self._input_tokens(media, price)
        return Bound(
            input_tokens,
            self._output_tokens(price, output_tokens_default),
            answers=fields.n or 1,
            prediction_tokens=self.body.size_of("prediction"),
            input_audio_tokens=min(media.audio_tokens, input_tokens),
            input_image_tokens=min(media.image_tokens, input_tokens),
            writes_cache=self.body.mentions(b'"cache_control"'),
            writes_cache_1h=self.body.mentions(b'"1h"'),
            generates_audio="audio" in modalities or "audio" in self.body,
            generates_images="image" in modalities,
            service_tier=fields.service_tier,
            # A model that searches before it answers does so once.
            web_searches=int("web_search_options" in self.body),
            may_reason=may_reason(self.model.model, fields.effort),
        )

    def _input_tokens(self, media: Media, price: Price | None) -> int:
        body, window = self.body, price.context_window_tokens if price else None
        if media.unbounded is not None:
            if window is None:
                raise Unpriceable(
                    f"The size of a '{media.unbounded}' part is unknown: set "
                    f"'context_window_tokens' in the price of '{self.model}' to bound it"
                )
            return window
        tokens = len(body) - media.inline_bytes + media.image_tokens + media.audio_tokens
        tokens += _TOKENS_PER_MESSAGE * len(self.fields.messages)
        is_instructed = self.fields.tools or "functions" in body or "response_format" in body
        tokens += _TOKENS_OF_HIDDEN_PROMPT if is_instructed else 0
        return tokens if window is None else min(tokens, window)

    def _output_tokens(self, price: Price | None, default: int) -> int:
        declared = self.declared_output_tokens
        known = price.max_output_tokens if price else None
        if declared is None:
            return default if known is None else known
        return declared if known is None else min(declared, known)

    def document(self) -> dict[str, Any]:
        return self.body.document()

    def rewritten(self, terms: Terms) -> bytes:
        """The body for the provider: its own model name and, on a stream, usage asked for.

        The output limit that the terms impose replaces the request's own, or is put into their
        `limit_field` where the request has none.
        """
        changes: dict[str, Any] = {"model": terms.model}
        if self.is_streamed and terms.streams_usage:
            options = self.fields.stream_options or {}
            changes["stream_options"] = {**options, "include_usage": True}
        if terms.output_tokens is not None:
            declared = [field for field in OUTPUT_LIMIT_FIELDS if field in self.body]
            changes |= dict.fromkeys(declared or [terms.limit_field], terms.output_tokens)
        if terms.service_tier is not None and self.fields.service_tier is None:
            changes["service_tier"] = terms.service_tier
        return self.body.rewritten(terms, **changes)


def parse_chat(raw: bytes) -> ChatRequest:
    """Read a request body.

    Raises:
        InvalidRequest: not JSON, or a model without provider.
        Unprocessable: a field is missing or of the wrong type.
    """
    body = Body(raw)
    fields = body.read(_Fields)
    _check(fields)
    return ChatRequest(
        body=body,
        model=requested_model(fields.model),
        is_streamed=bool(fields.stream),
        wants_usage=bool((fields.stream_options or {}).get("include_usage")),
        user=fields.user,
        fields=fields,
    )


def _check(fields: _Fields) -> None:
    if not fields.messages:
        raise Unprocessable("messages: at least one message is required", param="messages")
    for index, message in enumerate(fields.messages):
        if not isinstance(message.get("role"), str):
            raise Unprocessable(
                f"Value error, messages[{index}]: 'role' is required", param=f"messages[{index}]"
            )
    for name in (*OUTPUT_LIMIT_FIELDS, "n"):
        count = cast("int | None", getattr(fields, name))
        if count is not None and count < 1:
            raise InvalidRequest(f"'{name}' must be at least 1", param=name)
        if count is not None and count > _COUNT_MAX:
            raise InvalidRequest(f"'{name}' must be at most {_COUNT_MAX}", param=name)


def _refuse_surcharges(body: Body, fields: _Fields) -> None:
    for field, why in _SURCHARGED.items():
        if field in body:
            raise Unpriceable(f"'{field}' cannot be priced: {why}")
    for tool in fields.tools or ():
        kind = tool.get("type")
        if not (kind is None or isinstance(kind, str)) or kind not in _FUNCTION_TOOLS:
            raise Unpriceable(f"Tool '{kind}' cannot be priced: it is billed by the call")
