"""Everything that can go wrong, as one tree.

    BursarError
    ├── Refused              the caller's request is not carried out; the caller can act on it
    │   ├── Unauthenticated  no virtual key, or one that is not valid
    │   ├── Forbidden        a valid key that may not do this
    │   │   ├── BudgetExceeded
    │   │   └── VaultClosed  the caller's key does not open the project's provider key
    │   ├── NotFound
    │   ├── Conflict
    │   ├── InvalidRequest   malformed or contradictory input
    │   ├── Unpriceable      no price, or no upper bound, so no budget could hold
    │   └── RateLimited      too many requests or tokens this minute
    ├── UpstreamError        the provider's fault
    │   ├── UpstreamUnreachable
    │   ├── UpstreamTimeout
    │   └── UpstreamBroken   an answer that stopped half way or made no sense
    ├── StoreUnavailable     DynamoDB did not answer, or throttled beyond the retries
    └── WrongSetting         a setting that stops the start

The tree carries no HTTP: each dialect maps it to statuses in one table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal


class BursarError(Exception):
    """The root.

    Attributes:
        message: safe to show to a caller: it never holds a secret.
        remarks: what the caller is told of the request besides, by the names of headers.
    """

    code = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.remarks: Mapping[str, str] = {}


class Refused(BursarError):
    """The request was understood and not carried out."""

    code = "refused"


class Unauthenticated(Refused):
    code = "invalid_api_key"


class Forbidden(Refused):
    code = "forbidden"


class BudgetExceeded(Forbidden):
    """A budget cannot hold the request's upper bound.

    `advice` says how much was needed, how much is left and what would fit.
    """

    code = "budget_exceeded"

    def __init__(
        self, message: str, *, advice: str, needed_usd: Decimal, left_usd: Decimal
    ) -> None:
        super().__init__(message)
        self.advice = advice
        self.needed_usd = needed_usd
        self.left_usd = left_usd


class VaultClosed(Forbidden):
    """What is sealed in a project's vault is not for this caller; the message says the remedy."""

    code = "vault_closed"


class NotFound(Refused):
    code = "not_found"


class ModelNotFound(NotFound):
    code = "model_not_found"


class Conflict(Refused):
    code = "conflict"


class InvalidRequest(Refused):
    """`param` names the field at fault, where there is one."""

    code = "invalid_request"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class Unprocessable(InvalidRequest):
    """Well-formed JSON whose fields do not validate."""

    code = "unprocessable"


class RequestTooLarge(InvalidRequest):
    code = "request_too_large"


class Unpriceable(Refused):
    code = "model_unpriced"


class RateLimited(Refused):
    """`retry_after_s` is how long until the minute that refused the request is over."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotConfigured(BursarError):
    """The deployment lacks something that only its administrator can add."""

    code = "not_configured"


class UpstreamError(BursarError):
    """The provider failed. The message never quotes what the provider said."""

    code = "upstream_error"


class UpstreamUnreachable(UpstreamError):
    code = "upstream_unreachable"


class UpstreamTimeout(UpstreamError):
    code = "upstream_timeout"


class UpstreamBroken(UpstreamError):
    code = "upstream_broken"


class StoreUnavailable(BursarError):
    """The ledger cannot be reached, so nothing may be spent."""

    code = "store_unavailable"


class WrongSetting(BursarError):
    """A setting stops the start; the message names the setting and the fix."""

    code = "wrong_setting"


INTERNAL_ERROR = BursarError("The gateway failed; its log has the request's id")
"""What a caller is told of a failure that nobody foresaw."""
