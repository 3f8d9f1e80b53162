"""The dialects that callers may speak, by path.

Parsers are loaded with the first request that needs them: most processes see one dialect.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from bursar.dialects.passed_operations import PASSED_OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.error_shape import ErrorShape
    from bursar.dialects.request import InferenceRequest


@dataclass(frozen=True, slots=True)
class Inbound:
    """One path's dialect; both names are `module:attribute` in `bursar.dialects`.

    Attributes:
        parser: of a body, and where it may be other than JSON of its content type.
        errors: the error shape.
        takes_content_type: whether the parser wants it.
    """

    parser: str
    errors: str = "openai_errors:OPENAI_ERRORS"
    takes_content_type: bool = False

    def parse(self, body: bytes, content_type: str) -> InferenceRequest:
        """Read a request; raises what the dialect's parser does."""
        parser = _loaded(self.parser)
        request = parser(body, content_type) if self.takes_content_type else parser(body)
        return cast("InferenceRequest", request)

    @property
    def shape(self) -> ErrorShape:
        return cast("ErrorShape", _loaded(self.errors))


INBOUND: Final[Mapping[str, Inbound]] = {
    "/v1/chat/completions": Inbound("openai_chat:parse_chat"),
    "/v1/responses": Inbound(
        "responses_request:parse_responses", "responses_errors:RESPONSES_ERRORS"
    ),
    "/v1/messages": Inbound("messages_request:parse_messages", "messages_errors:MESSAGES_ERRORS"),
    "/v1/embeddings": Inbound("openai_embeddings:parse_embeddings"),
    **{
        path: Inbound(passed.parser, takes_content_type=True)
        for path, passed in PASSED_OPERATIONS.items()
    },
}
COUNT_TOKENS_PATH: Final = "/v1/messages/count_tokens"
COUNT_TOKENS: Final = Inbound(
    "messages_count:parse_count_tokens", "messages_errors:MESSAGES_ERRORS"
)


def errors_of(path: str) -> ErrorShape:
    """What whoever calls a path understands, whether or not there is such a path."""
    if path.startswith("/v1/messages"):
        return INBOUND["/v1/messages"].shape
    return INBOUND["/v1/chat/completions"].shape


@cache
def _loaded(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(f"bursar.dialects.{module}"), attribute)
