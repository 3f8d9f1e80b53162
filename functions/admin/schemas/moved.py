"""Fields of records that are moved here from another gateway."""

from typing import Annotated, Final

from pydantic import StringConstraints

from functions.admin.schemas.fields import RateUsd

OWN_ID: Final = "The id that it had elsewhere; null has one made."
KEY_DIGEST: Final = (
    "SHA-256, in hex, of a key that another gateway issued: it is taken over and goes on working, "
    "and nobody need send it here. null has a key made."
)
IS_FOREIGN: Final = (
    "The key that `key_digest` is of has another format than `gw-…`. From the first such key on, "
    "credentials of any format are looked up."
)
BUDGET_STARTED_AT: Final = (
    "When the budget was assigned elsewhere, from where rolling periods count on; null: now."
)
SPEND: Final = (
    "US dollars spent elsewhere in the budget's current period, which the account here begins with."
)

RecordId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
KeyDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SpentUsd = RateUsd
"""What was spent; digits beyond the twelfth after the point are rounded up."""
