"""What every dialect's request tells the services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bursar.dialects.error_shape import ErrorShape
    from bursar.domain.models import ModelName
    from bursar.domain.pricing import Bound, Price


@dataclass(frozen=True, slots=True)
class Terms:
    """What the chosen provider and the budget make of a request.

    Attributes:
        model: the provider's own name of the model.
        output_tokens: the output limit that the gateway imposes, or None.
        tool_calls: how often the provider's own tools may run, as the gateway imposes it, or None.
        output_tokens_max: the longest answer that was quoted, for dialects that want a limit.
        limit_field: the field of a chat request that takes it, where the request has none.
        streams_usage: the provider understands `stream_options.include_usage`.
        service_tier: what the gateway asks for where the request does not say, or None.
        renamed_fields: see `Endpoint`.
        dropped_fields: see `Endpoint`.
        added_fields: see `Endpoint`.
    """

    model: str
    output_tokens: int | None = None
    tool_calls: int | None = None
    output_tokens_max: int = 0
    limit_field: str = "max_tokens"
    streams_usage: bool = True
    service_tier: str | None = None
    renamed_fields: Mapping[str, str] = field(default_factory=dict)
    dropped_fields: frozenset[str] = frozenset()
    added_fields: Mapping[str, Any] = field(default_factory=dict)


class InferenceRequest(Protocol):
    """A request in the dialect that its caller speaks."""

    @property
    def model(self) -> ModelName: ...

    @property
    def user(self) -> str | None: ...

    @property
    def user_field(self) -> str:
        """The field that `user` stands in."""
        ...

    @property
    def is_user_advisory(self) -> bool:
        """Clients write anything into that field: only with the master key it says who pays."""
        ...

    @property
    def is_streamed(self) -> bool: ...

    @property
    def wants_usage(self) -> bool:
        """Whether the caller asked for usage in the stream, which only chat does."""
        ...

    @property
    def endpoint(self) -> str:
        """The gateway's path, for the books."""
        ...

    @property
    def operation(self) -> str:
        """The caller's dialect, and the provider's endpoint that serves it as it is."""
        ...

    @property
    def errors(self) -> ErrorShape: ...

    @property
    def content_type(self) -> str:
        """Of the body that `rewritten` gives."""
        ...

    @property
    def declared_output_tokens(self) -> int | None: ...

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """The most it can use.

        Raises:
            Unpriceable: it asks for something that has no upper bound.
        """
        ...

    def document(self) -> dict[str, Any]:
        """The body decoded, the caller's own to change, as translators want it."""
        ...

    def rewritten(self, terms: Terms) -> bytes:
        """The body for a provider of the same dialect: only what the terms say is changed."""
        ...


class TakesUploads(Protocol):
    """A request whose body may hold files, whose bytes are no tokens. Others lack the property."""

    @property
    def text_bytes(self) -> int:
        """Length of everything else."""
        ...
