"""Open a sealed provider key of any format that is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.vault.boxes import split
from bursar.vault.encoding import from_base64
from bursar.vault.envelope import PREFIX, Binding, open_v2
from bursar.vault.errors import CannotOpen, Reason
from bursar.vault.sealed_box import open_v1

if TYPE_CHECKING:
    from bursar.vault.keys import PrivateKey


def format_of(sealed: str) -> int:
    """Tell a sealed text's format, 1 or 2, without a key.

    No text can be both: a v2 label has dots, which base64 has not.

    Raises:
        CannotOpen: neither, an unknown `bursar.` label included.
    """
    split(from_base64(sealed.removeprefix(PREFIX)))
    return 2 if sealed.startswith(PREFIX) else 1


def open_sealed(
    sealed: str, private_key: PrivateKey, binding: Binding, *, oldest_format: int = 1
) -> str:
    """Open a sealed text of either format.

    Args:
        binding: where it was found; format v1 cannot check it.
        oldest_format: formats below are refused. Whoever keeps the rows could otherwise replace a
            bound text by an unbound one, which fits everywhere. It must come from a source that
            the keeper of the rows cannot change, such as a share.

    Raises:
        CannotOpen: see `Reason`.
    """
    found = format_of(sealed)
    if found < oldest_format:
        raise CannotOpen(Reason.REFUSED_FORMAT)
    return open_v1(sealed, private_key) if found == 1 else open_v2(sealed, private_key, binding)
