"""Query parameters of listings, and ids in paths that may contain slashes."""

from typing import Annotated

from fastapi import Query
from starlette.convertors import Convertor, register_url_convertor

Skip = Annotated[int, Query(ge=0, le=10**9, description="How many records to pass over.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many records to return at most.")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="`next_cursor` of the page before.")
]


class _Slashed(Convertor[str]):
    """The rest of a path, slashes included; unlike Starlette's `path`, never nothing."""

    regex = ".+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _UserId(_Slashed):
    """A user's id, which never ends in what comes after ids in paths."""

    regex = "(?!.+/usage$).+"


class _PricedModel(_Slashed):
    """`provider:model`, which is never what other paths of prices are made of."""

    regex = "(?!(?:effective|catalogue)$)(?!.+/history$).+"


register_url_convertor("slashed", _Slashed())
register_url_convertor("user_id", _UserId())
register_url_convertor("priced_model", _PricedModel())
