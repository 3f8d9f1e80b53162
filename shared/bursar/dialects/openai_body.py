"""A request body whose fields are rewritten one by one, while all others keep their bytes."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from bursar.domain.errors import InvalidRequest, Unprocessable

_StructT = TypeVar("_StructT", bound=msgspec.Struct)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Body:
    """A JSON object as its caller wrote it."""

    def __init__(self, raw: bytes) -> None:
        """Take the bytes.

        Raises:
            InvalidRequest: not a JSON object.
        """
        try:
            self._fields = _OBJECT.decode(raw)
        except RecursionError:
            raise InvalidRequest("The request body is nested too deep") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidRequest(f"The request body is not a JSON object: {error}") from None
        self._raw = raw

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, field: str) -> bool:
        """Tell whether the field is there with a value other than null."""
        return field in self._fields and bytes(self._fields[field]) != b"null"

    def read(self, kind: type[_StructT]) -> _StructT:
        """Read the fields that a struct names.

        Raises:
            Unprocessable: one is missing or of the wrong type; `param` names it.
        """
        try:
            return msgspec.json.decode(self._raw, type=kind)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            param = path.rstrip("`").lstrip(".") or None
            raise Unprocessable(f"{param}: {message}" if param else message, param=param) from None

    def size_of(self, field: str) -> int:
        """Bytes of a field's value, none where it is absent or null."""
        return len(bytes(self._fields[field])) if field in self else 0

    def rewritten(self, **changes: Any) -> bytes:
        """The body with some fields set; every other field keeps its bytes and its place."""
        encoded = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in changes.items()}
        return msgspec.json.encode({**self._fields, **encoded})
