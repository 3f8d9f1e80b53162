"""Challenges and sessions: items under their digests, which DynamoDB removes after they expired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.domain.proofs import Challenge, Session
from bursar.store.creation import IS_THERE
from bursar.store.errors import ConditionFailed
from bursar.store.schema import TTL_ATTRIBUTE
from bursar.store.values import RecordNotation, number, text

if TYPE_CHECKING:
    from datetime import datetime

    from bursar.store.call import Attribute, Call

_CHALLENGES: Final = RecordNotation(Challenge, in_key=("digest",))
_SESSIONS: Final = RecordNotation(Session, in_key=("digest",))
_KEPT_S: Final = 3600


class DynamoProofs:
    """The port is `Proofs`."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name

    async def issue(self, challenge: Challenge) -> None:
        attributes = _CHALLENGES.attributes(challenge)
        await self._put(_challenge_key(challenge.digest), attributes, challenge.expires_at)

    async def take(self, digest: str) -> Challenge | None:
        """Of two deletions, the first finds the item and gets it.

        Where its answer is lost the challenge is, too: the caller asks for another.
        """
        request = {
            **self._keyed(_challenge_key(digest)),
            "ConditionExpression": IS_THERE,
            "ReturnValues": "ALL_OLD",
        }
        try:
            answer = await self._call("DeleteItem", request)
        except ConditionFailed:
            return None
        item = answer.get("Attributes")
        return _CHALLENGES.record(item, digest=digest) if item else None

    async def open(self, session: Session) -> None:
        attributes = _SESSIONS.attributes(session)
        await self._put(_session_key(session.digest), attributes, session.expires_at)

    async def session(self, digest: str) -> Session | None:
        answer = await self._call("GetItem", self._keyed(_session_key(digest)))
        item = answer.get("Item")
        return _SESSIONS.record(item, digest=digest) if item else None

    async def end(self, digest: str) -> None:
        await self._call("DeleteItem", self._keyed(_session_key(digest)))

    async def _put(
        self, key: dict[str, Attribute], attributes: dict[str, Attribute], expires_at: datetime
    ) -> None:
        purge_at = number(int(expires_at.timestamp()) + _KEPT_S)
        item = {**key, **attributes, TTL_ATTRIBUTE: purge_at}
        await self._call("PutItem", {"TableName": self._table_name, "Item": item})

    def _keyed(self, key: dict[str, Attribute]) -> dict[str, Any]:
        return {"TableName": self._table_name, "Key": key}


def _challenge_key(digest: str) -> dict[str, Attribute]:
    return {"pk": text(f"CHALLENGE#{digest}"), "sk": text("CHALLENGE")}


def _session_key(digest: str) -> dict[str, Attribute]:
    return {"pk": text(f"SESSION#{digest}"), "sk": text("SESSION")}
