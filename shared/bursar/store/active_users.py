"""Who used the gateway on which day, so that a listing over all users knows where to look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.store.queries import everything, partition, span
from bursar.store.values import text

if TYPE_CHECKING:
    from bursar.store.call import Call

_DAYS: Final = "ACTIVE"
_REMEMBERED_MAX: Final = 10_000


class ActiveUsers:
    """Marks of activity. A process writes each once and remembers that it did."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name
        self._marked: dict[tuple[str, str], None] = {}

    async def mark(self, day: str, user_id: str) -> None:
        if (_DAYS, day) not in self._marked:
            await self._put(_DAYS, day)
        if (_users_pk(day), user_id) not in self._marked:
            await self._put(_users_pk(day), user_id)

    async def days(self, first: str, last: str) -> list[str]:
        """Days on which anybody was active, newest first."""
        found = await everything(self._call, span(self._table_name, _DAYS, first, last))
        return [item["sk"]["S"] for item in found]

    async def users(self, day: str) -> list[str]:
        found = await everything(self._call, partition(self._table_name, _users_pk(day)))
        return [item["sk"]["S"] for item in found]

    async def _put(self, pk: str, sk: str) -> None:
        item = {"pk": text(pk), "sk": text(sk)}
        await self._call("PutItem", {"TableName": self._table_name, "Item": item})
        while len(self._marked) >= _REMEMBERED_MAX:
            del self._marked[next(iter(self._marked))]
        self._marked[pk, sk] = None


def _users_pk(day: str) -> str:
    return f"{_DAYS}#{day}"
