from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.errors import StoreUnavailable
from bursar.store.batches import get_items
from bursar.store.values import text

if TYPE_CHECKING:
    from collections.abc import Mapping


class Partial:
    """Answers a batch with at most `at_once` items, and leaves the other keys for later."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.requests: list[Mapping[str, Any]] = []

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        assert operation == "BatchGetItem"
        self.requests.append(request)
        wanted = request["RequestItems"]["bursar"]
        done, left = wanted["Keys"][: self.at_once], wanted["Keys"][self.at_once :]
        unread = {"bursar": {**wanted, "Keys": left}} if left else {}
        return {"Responses": {"bursar": done} if done else {}, "UnprocessedKeys": unread}


KEYS = [{"pk": text(str(number)), "sk": text("a")} for number in range(7)]


async def test_keys_that_are_left_are_asked_for_again() -> None:
    call = Partial(3)

    assert await get_items(call, "bursar", KEYS) == KEYS

    assert len(call.requests) == 3
    assert all(request["RequestItems"]["bursar"]["ConsistentRead"] for request in call.requests)


async def test_keys_that_are_left_for_ever_make_the_store_unavailable() -> None:
    call = Partial(0)

    with pytest.raises(StoreUnavailable):
        await get_items(call, "bursar", KEYS)

    assert len(call.requests) == 10
