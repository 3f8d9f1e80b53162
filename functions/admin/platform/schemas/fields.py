"""The kinds of values that the platform's bodies are made of."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field, PlainSerializer, SecretStr, StringConstraints


def _four_decimals(value: Decimal) -> str:
    text = f"{value:f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(4, '0')}"


Secret = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
"""A password, or what it yields: not shown when it is written anywhere."""

Email = Annotated[str, StringConstraints(min_length=3, max_length=254)]
PublicKeyText = Annotated[str, StringConstraints(min_length=1, max_length=200)]
SealedText = Annotated[str, StringConstraints(max_length=16_384)]
Uuid = Annotated[str, StringConstraints(max_length=64)]

Timestamp = Annotated[
    datetime,
    PlainSerializer(
        lambda value: value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), return_type=str
    ),
]
"""A point in time as the published clients read it: UTC, to the microsecond."""

Amount = Annotated[Decimal, PlainSerializer(_four_decimals, return_type=str)]
"""US dollars as text, with at least four decimals."""


class Message(BaseModel):
    """That it was done."""

    message: str
