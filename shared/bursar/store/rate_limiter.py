"""Rate windows: one counter item a subject and minute, which expires by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.domain.rates import RateLimit, RateWindow
from bursar.store.creation import IS_NEW, IS_THERE
from bursar.store.errors import ConditionFailed
from bursar.store.schema import TTL_ATTRIBUTE
from bursar.store.values import number, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bursar.store.call import Attribute, Call, Item

HAS_REQUESTS_LEFT: Final = "#requests <= :requests_room"
HAS_TOKENS_LEFT: Final = "#tokens <= :tokens_room"

_NAMES: Final = {"#requests": "requests", "#tokens": "tokens"}
_COUNT: Final = f"ADD #requests :one, #tokens :tokens SET {TTL_ATTRIBUTE} = :purge_at"
_KEPT_S: Final = 120


class DynamoRateLimiter:
    """The port is `RateLimiter`."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name

    async def take(self, limit: RateLimit, *, tokens: int, now: datetime) -> RateWindow:
        """Count, on condition that the limit leaves room: of concurrent requests, no more pass.

        A try that is repeated because its answer was lost may count twice, never not at all.
        """
        window = _window_of(limit, now)
        request = {
            **self._keyed(limit.subject, window),
            "UpdateExpression": _COUNT,
            "ExpressionAttributeNames": _NAMES,
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **_conditions(limit, tokens, _end_s(limit, window) + _KEPT_S),
        }
        try:
            answer = await self._call("UpdateItem", request)
        except ConditionFailed as refused:
            return _window(refused.item or {}, _end_s(limit, window), is_over=True)
        return _window(answer["Attributes"], _end_s(limit, window), is_over=False)

    async def adjust(self, limit: RateLimit, *, tokens: int, now: datetime) -> None:
        """Correct a window that was counted in; one that is gone needs no correction."""
        request = {
            **self._keyed(limit.subject, _window_of(limit, now)),
            "UpdateExpression": "ADD #tokens :tokens",
            "ConditionExpression": IS_THERE,
            "ExpressionAttributeNames": {"#tokens": "tokens"},
            "ExpressionAttributeValues": {":tokens": number(tokens)},
        }
        try:
            await self._call("UpdateItem", request)
        except ConditionFailed:
            return

    def _keyed(self, subject: str, window: int) -> dict[str, Any]:
        key = {"pk": text(f"RATE#{subject}"), "sk": text(str(window))}
        return {"TableName": self._table_name, "Key": key}


def _conditions(limit: RateLimit, tokens: int, purge_at: int) -> dict[str, Any]:
    """The room that must be left, so that the sums stay within the limit.

    A new window has all its room; only a limit below this one request refuses there too.
    """
    values: dict[str, Attribute] = {
        ":one": number(1),
        ":tokens": number(tokens),
        ":purge_at": number(purge_at),
    }
    rooms: dict[str, int] = {}
    if limit.requests_max is not None:
        rooms[HAS_REQUESTS_LEFT] = limit.requests_max - 1
        values[":requests_room"] = number(limit.requests_max - 1)
    if limit.tokens_max is not None:
        rooms[HAS_TOKENS_LEFT] = limit.tokens_max - tokens
        values[":tokens_room"] = number(limit.tokens_max - tokens)
    return {"ExpressionAttributeValues": values} | _joined(rooms)


def _joined(rooms: Mapping[str, int]) -> dict[str, str]:
    if not rooms:
        return {}
    condition = " AND ".join(rooms)
    if min(rooms.values()) >= 0:
        condition = f"{IS_NEW} OR ({condition})"
    return {"ConditionExpression": condition}


def _window_of(limit: RateLimit, now: datetime) -> int:
    return int(now.timestamp()) // limit.window_s


def _end_s(limit: RateLimit, window: int) -> int:
    return (window + 1) * limit.window_s


def _window(item: Item, resets_at_s: int, *, is_over: bool) -> RateWindow:
    def count(name: str) -> int:
        return int(item[name]["N"]) if name in item else 0

    return RateWindow(count("requests"), count("tokens"), is_over, resets_at_s)
