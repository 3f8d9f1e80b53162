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
_ALWAYS: Final = frozenset({"input_tokens", "output_tokens", "cached_input_tokens"})
_PREFIX: Final = "USAGE#"


def usage_pk(user_id: str) -> str:
    return _PREFIX + user_id


def usage_key(user_id: str, request_id: str) -> dict[str, Attribute]:
    return {"pk": text(usage_pk(user_id)), "sk": text(request_id)}


def usage_item(entry: UsageRecord) -> dict[str, Attribute]:
    """The record with its token counts as attributes of their own; parts only where there are any.

    An item of up to 1 KB costs one unit to write, which a usual record has to stay below.
    """
    attributes = _NOTATION.attributes(entry)
    if not entry.rates:
        del attributes["rates"]
    return usage_key(entry.user_id, entry.request_id) | attributes | _counts(entry.usage)


def _counts(usage: TokenUsage | None) -> dict[str, Attribute]:
    if usage is None:
        return {}
    counts = {name: getattr(usage, name) for name in _COUNTS}
    return {name: encode(count) for name, count in counts.items() if count or name in _ALWAYS}


def read_usage(item: Item) -> UsageRecord:
    counts = {name: decode(item[name]) for name in _COUNTS if name in item}
    return _NOTATION.record(
        item,
        user_id=item["pk"]["S"].removeprefix(_PREFIX),
        request_id=item["sk"]["S"],
        usage=counts or None,
    )
