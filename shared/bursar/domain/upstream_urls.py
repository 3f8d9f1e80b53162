"""Where a request to a provider goes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from bursar.domain.upstream import Endpoint, Target


def url_of(target: Target, endpoint: Endpoint, model: str, *, is_streamed: bool) -> str:
    """The absolute URL of an operation; the model's name in a path is percent-encoded."""
    path = endpoint.stream_path if is_streamed and endpoint.stream_path else endpoint.path
    base = target.base_url if endpoint.base_url is None else endpoint.base_url
    return base + path.replace("{model}", quote(model, safe=""))
