"""Cursors: where the next page of a listing begins, opaque to whoever passes them back."""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode

from bursar.domain.errors import InvalidRequest

_REQUEST_ID_VERSION = 7


def to_cursor(position: str) -> str:
    return urlsafe_b64encode(position.encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> str:
    """Read the position that `to_cursor` wrote.

    Raises:
        InvalidRequest: not something that `to_cursor` writes.
    """
    try:
        position = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise bad_cursor() from None
    if to_cursor(position) != cursor:
        raise bad_cursor()
    return position


def request_id_from_cursor(cursor: str) -> str:
    """Read the request id at which a page ended.

    Raises:
        InvalidRequest: the position is not a request id.
    """
    position = from_cursor(cursor)
    try:
        identifier = uuid.UUID(position)
    except ValueError:
        raise bad_cursor() from None
    if identifier.version != _REQUEST_ID_VERSION:
        raise bad_cursor()
    return str(identifier)


def bad_cursor() -> InvalidRequest:
    return InvalidRequest("The cursor is not one that an earlier page gave", param="cursor")
