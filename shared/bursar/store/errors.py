"""What DynamoDB answers instead of a result.

A failed condition is an answer to act on and is caught inside the store. Everything else leaves
it as StoreUnavailable, whose message names the operation and never an item's content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONDITION_FAILED = "ConditionalCheckFailedException"
TRANSACTION_CANCELLED = "TransactionCanceledException"
_REASON_CONDITION = "ConditionalCheckFailed"
_REASON_NONE = "None"


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


class TransactionCancelled(OperationRefused):
    """A transaction changed nothing, because of some of its items.

    Attributes:
        reasons: for each item, DynamoDB's code, `None` where it was not the item's fault.
        items: for each item whose condition failed, the item as it stands if it was asked for.
    """

    def __init__(self, operation: str, reasons: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(operation, TRANSACTION_CANCELLED)
        self.reasons = tuple(str(reason.get("Code", _REASON_NONE)) for reason in reasons)
        self.items = tuple(reason.get("Item") or None for reason in reasons)

    def has_failed(self, index: int) -> bool:
        """Tell whether an item's condition did not hold."""
        return self.reasons[index] == _REASON_CONDITION

    @property
    def may_succeed_later(self) -> bool:
        """Whether nothing but others' writes, or their number, stood in the way."""
        return not {_REASON_CONDITION, "ValidationError"} & set(self.reasons)


def refusal(
    operation: str, error: Mapping[str, Any], error_type: str, *, is_repeat: bool = False
) -> OperationRefused:
    """Make the exception for an error answer of DynamoDB's."""
    if error_type == TRANSACTION_CANCELLED:
        return TransactionCancelled(operation, error.get("CancellationReasons") or [])
    if error_type == CONDITION_FAILED:
        return ConditionFailed(operation, error.get("Item") or None, is_repeat=is_repeat)
    return OperationRefused(operation, error_type)
