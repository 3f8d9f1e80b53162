"""The most that a Messages request can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.dialects.hidden_reasoning import may_reason
from bursar.dialects.messages_media import measure_media
from bursar.dialects.messages_tools import measure_tools, tools_in
from bursar.dialects.messages_usage import FAST_TIER
from bursar.domain.errors import Unpriceable
from bursar.domain.pricing import Bound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.messages_fields import MessagesFields
    from bursar.dialects.openai_body import Body
    from bursar.domain.models import ModelName
    from bursar.domain.pricing import Price

# What stands around a message in the prompt, and the instructions that the vendor adds to an
# answer's schema and to a summary of the conversation.
_TOKENS_PER_MESSAGE: Final = 8
_TOKENS_OF_FORMAT_PROMPT: Final = 1_024
_TOKENS_OF_COMPACTION_PROMPT: Final = 4_096
_ORDINARY_TIERS: Final = frozenset({"auto", "standard_only"})

_UNCHARGED: Final[tuple[object, ...]] = (None, [], "global")
_SURCHARGED: Final[Mapping[str, str]] = {
    "mcp_servers": "what remote tools answer has no bound",
    "container": "containers are billed by the hour",
    "fallbacks": "fallback models are billed at their own prices",
    "inference_geo": "a chosen region is billed at a surcharge",
    "thread": "the provider keeps the conversation and its tools, of whatever size; send all of it",
}


def bound_of(body: Body, model: ModelName, fields: MessagesFields, price: Price | None) -> Bound:
    """The upper bound, given a body and what was read of it.

    Raises:
        Unpriceable: it asks for something that no price covers, or whose size is unknown.
    """
    _refuse_surcharges(fields)
    brought = list(tools_in(fields.messages))
    served = measure_tools([*(fields.tools or ()), *brought])
    media = measure_media(fields.messages, model.model)
    window = price.context_window_tokens if price else None
    tokens = len(body) - media.inline_bytes + media.image_tokens
    tokens += _TOKENS_PER_MESSAGE * len(fields.messages) + served.prompt_tokens
    tokens += _TOKENS_OF_FORMAT_PROMPT * ("output_config" in body or "output_format" in body)
    tokens += _TOKENS_OF_COMPACTION_PROMPT * ("compaction" in body)
    if media.unbounded is not None:
        tokens = _window(window, media.unbounded, model)
    uses_cache = body.mentions(b'"cache_control"')
    # A later round also reads what was found and answered in those before.
    later = _window(window, "web search", model) if served.reads_the_web else None
    each = _within(window, tokens + fields.max_tokens) if later is None else later
    return Bound(
        _within(window, tokens) + each * (served.rounds - 1),
        fields.max_tokens,
        input_image_tokens=media.image_tokens * served.rounds,
        # A provider caches what its own tools read again in the next round.
        writes_cache=uses_cache or served.rounds > 1,
        writes_cache_1h=uses_cache and body.mentions(b'"1h"'),
        service_tier=_tier(fields),
        web_searches=served.web_searches,
        served_calls=served.calls,
        tokens_per_call=each if served.calls else 0,
        served_calls_min=int(served.takes_limit and not brought),
        may_reason=may_reason(model.model, (fields.thinking or {}).get("type")),
    )


def _within(window: int | None, tokens: int) -> int:
    return tokens if window is None else min(tokens, window)


def _window(window: int | None, what: str, model: ModelName) -> int:
    if window is None:
        raise Unpriceable(
            f"The size of a '{what}' is unknown: set 'context_window_tokens' in the price of "
            f"'{model}' to bound it"
        )
    return window


def _tier(fields: MessagesFields) -> str | None:
    """The dearest tier that the request may be served in, None for the ordinary one.

    Anthropic's `auto` uses capacity that is paid for already, as long as there is any.
    """
    if fields.speed == FAST_TIER:
        return FAST_TIER
    return None if fields.service_tier in _ORDINARY_TIERS else fields.service_tier


def _refuse_surcharges(fields: MessagesFields) -> None:
    for field, why in _SURCHARGED.items():
        if getattr(fields, field) not in _UNCHARGED:
            raise Unpriceable(f"'{field}' cannot be priced: {why}. Leave it out")
    management = fields.context_management
    edits = management.get("edits") if isinstance(management, dict) else None
    for edit in edits if isinstance(edits, list) else ():
        kind = str(edit.get("type")) if isinstance(edit, dict) else "?"
        if not kind.startswith("clear_"):
            raise Unpriceable(
                f"'context_management' with '{kind}' cannot be priced: it makes the model answer "
                "more than once. Leave it out"
            )
