"""A request body whose fields are rewritten one by one, while all others keep their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from bursar.domain.errors import InvalidRequest, Unprocessable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.request import Terms

_StructT = TypeVar("_StructT", bound=msgspec.Struct)
_ValueT = TypeVar("_ValueT")
# JSON may write any letter so; a name that is escaped is the same name.
_ESCAPED_ASCII = b"\\u00"
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
# Texts are read when they are wanted, so what is wrong in one may show late.
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Body:
    """A JSON object as its caller wrote it."""

    def __init__(self, raw: bytes) -> None:
        """Take the bytes.

        Raises:
            InvalidRequest: not a JSON object.
        """
        try:
            self._fields = _OBJECT.decode(raw)
        except _MALFORMED as error:
            raise _malformed(error) from None
        self._raw = raw

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, field: str) -> bool:
        """Tell whether the field is there with a value other than null."""
        return field in self._fields and bytes(self._fields[field]) != b"null"

    def mentions(self, text: bytes) -> bool:
        """Tell whether some ASCII may be anywhere in the body, however it is escaped."""
        return text in self._raw or _ESCAPED_ASCII in self._raw

    def read(self, kind: type[_StructT]) -> _StructT:
        """Read the fields that a struct names.

        Raises:
            InvalidRequest: one is nested too deep, or has a text that is not UTF-8.
            Unprocessable: one is missing or of the wrong type; `param` names it.
        """
        try:
            return msgspec.json.decode(self._raw, type=kind)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            param = path.rstrip("`").lstrip(".") or None
            raise Unprocessable(f"{param}: {message}" if param else message, param=param) from None
        except _MALFORMED as error:
            raise _malformed(error) from None

    def size_of(self, field: str) -> int:
        """Bytes of a field's value, none where it is absent or null."""
        return len(bytes(self._fields[field])) if field in self else 0

    def document(self) -> dict[str, Any]:
        """The whole object decoded, a copy of the caller's own.

        Raises:
            InvalidRequest: nested too deep, or with a number or text that no JSON has.
        """
        try:
            return cast("dict[str, Any]", msgspec.json.decode(self._raw))
        except _MALFORMED as error:
            raise _malformed(error) from None

    def rewritten(self, terms: Terms, **changes: Any) -> bytes:
        """The body with some fields set and the endpoint's quirks applied.

        Every other field keeps its bytes and its place. Where a renamed field's new name is taken
        by more than a null, the value under that name stays.
        """
        fields: dict[str, msgspec.Raw] = dict(self._fields)
        encode = msgspec.json.encode
        fields.update({name: msgspec.Raw(encode(value)) for name, value in changes.items()})
        if terms.renamed_fields or terms.dropped_fields or terms.added_fields:
            fields = settled(fields, terms)
        return encode(fields)


def settled(fields: Mapping[str, _ValueT], terms: Terms) -> dict[str, Any]:
    """A request's fields under the names that its endpoint knows, with those it wants besides."""
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        known_as = terms.renamed_fields.get(name, name)
        if known_as in terms.dropped_fields:
            continue
        is_first = known_as not in kept or _is_null(kept[known_as])
        if is_first or (known_as == name and not _is_null(value)):
            kept[known_as] = value
    return {**kept, **terms.added_fields}


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, msgspec.Raw) and bytes(value) == b"null")


def _malformed(error: Exception) -> InvalidRequest:
    if isinstance(error, RecursionError):
        return InvalidRequest("The request body is nested too deep")
    if isinstance(error, UnicodeDecodeError):
        return InvalidRequest("The request body is not UTF-8")
    return InvalidRequest(f"The request body is not a JSON object: {error}")
