"""Projects by the public keys of their vaults: a key leads to one project at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.ports import Links

_KIND = "vault"


class VaultNames:
    """Claims public keys for projects and frees them."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def check_free(self, public_key: str) -> None:
        """Raises Conflict where a project has it."""
        if await self._links.find(_KIND, public_key) is not None:
            raise _taken()

    async def claim(self, public_key: str, project_id: str) -> None:
        """Give a key to a project; harmless where it has it.

        Raises:
            Conflict: another project has it.
        """
        if await self._links.claim(_KIND, public_key, project_id) != project_id:
            raise _taken()

    async def release(self, public_keys: Iterable[str | None], project_id: str) -> None:
        for public_key in public_keys:
            if public_key is not None:
                await self._links.release(_KIND, public_key, project_id)


def _taken() -> Conflict:
    return Conflict("Another project has this encryption key")
