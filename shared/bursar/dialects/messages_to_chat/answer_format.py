"""Makes `response_format` of the schema that an answer is to keep to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bursar.dialects.chat_reading.fields import Fields

_NAME: Final = "answer"
_BY_NAME: Final = ("properties", "$defs", "definitions")
_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")


def format_fields(request: Fields, output_config: Fields) -> dict[str, Any]:
    """The field of a chat request that holds the schema, none where any text will do.

    Raises:
        Untranslatable: the format is no schema of JSON.
        InvalidRequest: malformed, or given in both of the places that it may stand in.
    """
    older, wanted = request.inner("output_format"), output_config.inner("format")
    if older is not None and wanted is not None:
        raise InvalidRequest("'output_format' must not stand beside 'output_config.format'")
    wanted = wanted or older
    if wanted is None:
        return {}
    if wanted.need("type", str) != "json_schema":
        raise wanted.refusal("type", "must be 'json_schema'")
    schema = wanted.need("schema", dict)
    wanted.close()
    kept: dict[str, Any] = {"name": _NAME, "schema": schema}
    if _is_strict(schema):
        kept["strict"] = True
    return {"response_format": {"type": "json_schema", "json_schema": kept}}


def _is_strict(schema: Mapping[str, Any]) -> bool:
    """Whether OpenAI takes it as strict: objects have no other fields, and none is optional."""
    objects = (
        inner
        for inner in _schemas(schema)
        if inner.get("type") == "object" or "properties" in inner
    )
    return all(map(_is_closed, objects))


def _is_closed(schema: Mapping[str, Any]) -> bool:
    names, required = schema.get("properties") or {}, schema.get("required") or []
    return (
        schema.get("additionalProperties") is False
        and isinstance(names, dict)
        and isinstance(required, list)
        and sorted(map(str, required)) == sorted(names)
    )


def _schemas(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A schema and all schemas within it."""
    waiting: list[Any] = [schema]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, dict):
            continue
        yield found
        waiting.append(found.get("items"))
        for name in _BY_NAME:
            named = found.get(name)
            waiting += named.values() if isinstance(named, dict) else ()
        for name in _LISTS:
            listed = found.get(name)
            waiting += listed if isinstance(listed, list) else ()
