"""Usage records as items: a user's partition, sorted by the request's id and so by time."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from bursar.domain.usage import TokenUsage, UsageRecord
from bursar.store.values import RecordNotation, decode, encode, text

if TYPE_CHECKING:
    from bursar.store.call import Attribute, Item

_NOTATION: Final = RecordNotation(UsageRecord, in_key=("user_id", "request_id", "usage"))
_COUNTS: Final = tuple(field.name for field in fields(TokenUsage))
_PREFIX: Final = "USAGE#"


def usage_pk(user_id: str) -> str:
    return _PREFIX + user_id


def usage_key(user_id: str, request_id: str) -> dict[str, Attribute]:
    return {"pk": text(usage_pk(user_id)), "sk": text(request_id)}


def usage_item(entry: UsageRecord) -> dict[str, Attribute]:
    """The record with its token counts as attributes of their own."""
    counts = {
        name: encode(getattr(entry.usage, name)) for name in _COUNTS if entry.usage is not None
    }
    return usage_key(entry.user_id, entry.request_id) | _NOTATION.attributes(entry) | counts


def read_usage(item: Item) -> UsageRecord:
    counts = {name: decode(item[name]) for name in _COUNTS if name in item}
    return _NOTATION.record(
        item,
        user_id=item["pk"]["S"].removeprefix(_PREFIX),
        request_id=item["sk"]["S"],
        usage=counts or None,
    )
