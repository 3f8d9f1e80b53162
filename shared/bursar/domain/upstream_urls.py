"""Where a request to a provider goes.

Base URLs and paths are templates: `{region}` and its like are parameters of the target, `{model}`
is the model's name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.upstream import Endpoint, Provider, Target

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_MODEL: Final = "model"
_VERTEX_HOST: Final = "vertex_host"
_LOCATION: Final = "location"
# Legal in a path, and written so by Google's own clients in names such as claude-x@20250101.
_LITERAL: Final = "@"


def url_of(target: Target, endpoint: Endpoint, model: str, *, is_streamed: bool) -> str:
    """The absolute URL of an operation; a name in a path is percent-encoded.

    Raises:
        InvalidRequest: the name is nothing but dots, which would lead out of its path.
        KeyError: a parameter of the template is not given; targets are made with all of them.
    """
    path = endpoint.stream_path if is_streamed and endpoint.stream_path else endpoint.path
    base = target.base_url if endpoint.base_url is None else endpoint.base_url
    if not model.strip(".") and "{model}" in path:
        raise InvalidRequest(f"'{model}' is no model of '{target.provider.name}'", param=_MODEL)
    values = {**target.parameters, _MODEL: model}
    return _PLACEHOLDER.sub(lambda found: _value(found[1], values), base + path)


def missing_parameters(template: str, parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Parameters of a template that nobody gave, in their order."""
    needed = [_LOCATION if it == _VERTEX_HOST else it for it in _PLACEHOLDER.findall(template)]
    return tuple(it for it in dict.fromkeys(needed) if it != _MODEL and not parameters.get(it))


def is_addressed(provider: Provider, base_url: str | None, parameters: Mapping[str, str]) -> bool:
    """Tell whether a provider's address is complete."""
    base = base_url or provider.base_url
    return base is not None and not missing_parameters(base, parameters)


def _value(name: str, values: Mapping[str, str]) -> str:
    if name == _VERTEX_HOST:
        return _vertex_host(values[_LOCATION])
    return quote(values[name], safe=_LITERAL)


def _vertex_host(location: str) -> str:
    """Vertex AI's host: regional, multi-regional or global, as its documentation lists them."""
    if location == "global":
        return "aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{quote(location, safe='')}-aiplatform.googleapis.com"
