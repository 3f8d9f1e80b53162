"""Records as items: the notation in which DynamoDB wants its values.

Amounts stay exact: DynamoDB's numbers are decimal with 38 digits and travel as text. What is None
is not stored. Free-form JSON is stored as text, because DynamoDB's maps would turn its floating
point numbers into decimals.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from _typeshed import DataclassInstance

    from bursar.store.call import Attribute, Item

RecordT = TypeVar("RecordT", bound="DataclassInstance")


def text(value: str) -> Attribute:
    return {"S": value}


def number(value: Decimal | int) -> Attribute:
    return {"N": format(value, "f") if isinstance(value, Decimal) else str(value)}


def encode(plain: Any) -> Attribute:
    """Write a plain value.

    Raises:
        TypeError: there is no notation for its type.
    """
    match plain:
        case str():
            return text(plain)
        case bool():
            return {"BOOL": plain}
        case int() | Decimal():
            return number(plain)
        case list() | tuple():
            return {"L": [encode(each) for each in plain]}
        case dict():
            return {"M": {name: encode(each) for name, each in plain.items()}}
        case None:
            return {"NULL": True}
        case _:
            raise TypeError(f"{type(plain).__name__} has no notation in DynamoDB")


def decode(attribute: Attribute) -> Any:
    """Read a value; a number is an int where it is written as one, else a Decimal."""
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return decode_number(value)
        case "L":
            return [decode(each) for each in value]
        case "M":
            return {name: decode(each) for name, each in value.items()}
        case "NULL":
            return None
        case _:
            return value


def decode_number(value: str) -> int | Decimal:
    return int(value) if value.lstrip("-").isdigit() else Decimal(value)


class RecordNotation(Generic[RecordT]):
    """Writes records of one type as attributes, named after their fields, and reads them.

    Args:
        record_type: a dataclass.
        documents: fields with free-form JSON.
        in_key: fields that the item's key tells, not stored again.
    """

    def __init__(
        self,
        record_type: type[RecordT],
        *,
        documents: Collection[str] = (),
        in_key: Collection[str] = (),
    ) -> None:
        self._type = record_type
        self._documents = frozenset(documents)
        self._in_key = frozenset(in_key)
        self._unset = {field.name: None for field in fields(record_type) if _has_no_default(field)}

    def attributes(self, record: RecordT) -> dict[str, Attribute]:
        plain: Mapping[str, Any] = msgspec.to_builtins(record, builtin_types=(Decimal,))
        return {
            name: self._encoded(name, value)
            for name, value in plain.items()
            if value is not None and name not in self._in_key
        }

    def attribute(self, name: str, value: Any) -> Attribute:
        """Write one field's value, in the record's own type."""
        return self._encoded(name, msgspec.to_builtins(value, builtin_types=(Decimal,)))

    def record(self, item: Item, **in_key: Any) -> RecordT:
        """Read a record.

        Raises:
            msgspec.ValidationError: the item is not one.
        """
        stored = {name: self._decoded(name, value) for name, value in item.items()}
        return msgspec.convert({**self._unset, **stored, **in_key}, self._type)

    def _encoded(self, name: str, plain: Any) -> Attribute:
        if name in self._documents:
            return text(msgspec.json.encode(plain).decode())
        return encode(plain)

    def _decoded(self, name: str, attribute: Attribute) -> Any:
        value = decode(attribute)
        return msgspec.json.decode(value) if name in self._documents else value


def _has_no_default(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
