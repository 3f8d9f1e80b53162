"""Email addresses: how they are compared, and which are usable."""

from __future__ import annotations

import re
import unicodedata

from bursar.domain.errors import InvalidRequest

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}")


def normal_email(text: str) -> str:
    """An address as it is compared: without blanks around it, without case, composed.

    One keyboard types é as one code point, another as two: both are the same address.
    """
    folded = unicodedata.normalize("NFD", text.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def checked_email(text: str) -> str:
    """An address for a new account, in the form in which it is compared.

    Whether it receives mail is not for its form to say, so little is asked of that.

    Raises:
        InvalidRequest: nothing on one side of an @, blanks, or too long.
    """
    email = normal_email(text)
    if not _EMAIL.fullmatch(email):
        raise InvalidRequest("That is no email address", param="email")
    return email
