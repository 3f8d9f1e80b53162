"""Reads `response_format`: an answer that must be JSON of a given schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from bursar.dialects.chat_reading.fields import Fields

_SCHEMAS_BY_NAME: Final = frozenset({"properties", "$defs", "definitions"})
_SCHEMA_LISTS: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """A JSON schema for the answer, with what it is called and what it is for."""

    schema: Mapping[str, Any]
    name: str | None
    description: str | None


def read_answer_format(request: Fields) -> AnswerFormat | None:
    """The request's `response_format`; None where the answer may be any text.

    Raises:
        Untranslatable: JSON of no schema, which the other dialects cannot promise.
        InvalidRequest: malformed.
    """
    wanted = request.inner("response_format")
    if wanted is None:
        return None
    kind = wanted.need("type", str)
    if kind == "text":
        wanted.close()
        return None
    if kind != "json_schema":
        raise wanted.refusal(
            "type", f"'{kind}' has no counterpart in {wanted.dialect}: use 'json_schema'"
        )
    inner = wanted.inner("json_schema")
    if inner is None:
        path = wanted.at("json_schema")
        raise InvalidRequest(f"'{path}' is required", param=path)
    inner.leave("strict")  # the schema is always kept to
    read = AnswerFormat(
        closed(inner.need("schema", dict)),
        inner.take("name", str),
        inner.take("description", str),
    )
    inner.close()
    wanted.close()
    return read


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema whose objects have no fields but those it names, as providers want it.

    What fits the closed schema fits the open one. Keywords that a provider does not know stay, so
    that it can refuse them: without them the answer would not keep what the caller relies on.
    """
    made = {name: _closed_value(name, value) for name, value in schema.items()}
    if "properties" in made and made.get("additionalProperties") in (None, True):
        made["additionalProperties"] = False
    return made


def _closed_value(name: str, value: Any) -> Any:
    if name in _SCHEMAS_BY_NAME and isinstance(value, dict):
        return {key: _closed(inner) for key, inner in value.items()}
    if name in _SCHEMA_LISTS and isinstance(value, list):
        return [_closed(inner) for inner in value]
    return _closed(value) if name == "items" else value


def _closed(value: Any) -> Any:
    return closed(value) if isinstance(value, dict) else value
