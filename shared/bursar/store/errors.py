"""What DynamoDB answers instead of a result.

A failed condition is an answer to act on and is caught inside the store. Everything else leaves
it as StoreUnavailable, whose message names the operation and never an item's content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

CONDITION_FAILED = "ConditionalCheckFailedException"


class OperationRefused(StoreUnavailable):
    """DynamoDB understood an operation and did not carry it out.

    Attributes:
        error_type: DynamoDB's name for the error, as in `ResourceNotFoundException`.
    """

    def __init__(self, operation: str, error_type: str) -> None:
        super().__init__(f"DynamoDB refused {operation}: {error_type}")
        self.error_type = error_type


class ConditionFailed(OperationRefused):
    """A conditional write found something else than it required, and changed nothing.

    Attributes:
        item: the item as it stands, where the operation asked for it and there is one.
        is_repeat: an earlier try of the same operation may have been carried out, so what the
            condition found may be this operation's own doing.
    """

    def __init__(
        self, operation: str, item: Mapping[str, Any] | None, *, is_repeat: bool = False
    ) -> None:
        super().__init__(operation, CONDITION_FAILED)
        self.item = item
        self.is_repeat = is_repeat


def refusal(
    operation: str, error: Mapping[str, Any], error_type: str, *, is_repeat: bool = False
) -> OperationRefused:
    """Make the exception for an error answer of DynamoDB's."""
    if error_type == CONDITION_FAILED:
        return ConditionFailed(operation, error.get("Item") or None, is_repeat=is_repeat)
    return OperationRefused(operation, error_type)
