"""The seam between the store and whatever carries its operations to DynamoDB."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Attribute = Mapping[str, Any]
"""A value with its type, in DynamoDB's notation: `{"S": "text"}`, `{"N": "1.5"}`."""

Item = Mapping[str, Attribute]

Call = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Carries out one operation, as `await call("GetItem", {...})` with the low-level API's shapes.

It retries what a repetition can mend. Every write of the store's can be repeated: a condition
stops the second try, except for the counters of a rate window, where one request may count twice.

Raises:
    ConditionFailed: the write's condition did not hold.
    StoreUnavailable: no answer, or none that helps.
"""
