"""What an administrator decides about every request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class UserField(StrEnum):
    """What a request's `user` may be, when it comes with a virtual key.

    OWN refuses any user but the key's own. PASS leaves the field to the provider, whatever it
    says; the key's user pays. ANY lets every key spend every user's budget, as the seed did.
    """

    OWN = "own"
    PASS = "pass"  # noqa: S105 (not a password)
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of the services.

    Attributes:
        allow_unpriced: serve models without a price, at no recorded cost, past every budget.
        use_price_catalogue: price models by the catalogue that the software ships with, where the
            administrator has set no price.
        rate_limit_rpm: requests a minute of each user who has no limit of their own.
        output_tokens_default: the longest answer assumed, and under a budget enforced, where
            neither the request nor the price row limits it.
        useful_output_tokens: an answer is not cut below this, or below what was asked for if
            that is less; the request is refused instead.
        request_timeout_s: the longest a request may take from its reservation on.
        hold_margin_s: how much longer than that its hold lives, so that no running request's
            hold can expire.
        charges_unknown: charge the whole hold where nobody knows what the provider billed: it
            answered nothing in time, or the gateway died. The cap holds either way only if True.
        retries: how often a request is sent again to the model that it names, if the provider
            failed without billing it; an alias has its own number.
        directory_age_s: how long a key, user, budget or price may be served from memory; so long
            a revoked key can go on.
    """

    allow_unpriced: bool = False
    use_price_catalogue: bool = True
    user_field: UserField = UserField.OWN
    rate_limit_rpm: int | None = None
    output_tokens_default: int = 16_384
    useful_output_tokens: int = 256
    request_timeout_s: float = 840.0
    hold_margin_s: float = 60.0
    charges_unknown: bool = True
    retries: int = 1
    directory_age_s: float = 5.0

    @property
    def hold_s(self) -> float:
        return self.request_timeout_s + self.hold_margin_s
