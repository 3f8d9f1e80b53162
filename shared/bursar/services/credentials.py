"""Which credential a request presents, whatever header its client puts it in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bursar.domain.errors import Unauthenticated
from bursar.domain.keys import VirtualKey
from bursar.domain.projects import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

# In order of precedence. The any-llm SDK has used the first three names one after another, always
# beside `Authorization`, which therefore comes last of them.
BEARER_HEADERS = ("x-anyllm-key", "anyllm-key", "otari-key", "authorization")
RAW_HEADER = "x-api-key"
# By which the any-llm clients name themselves to their project.
CLIENT_NAME_HEADER = "anyllm-client-name"
_SCHEME = "Bearer "


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request has shown of itself, and what is known of it.

    Attributes:
        presented: its text, which opens a project's vault.
        key: its record; None for the master key. An ANY_LLM_KEY's is made up for the request.
        project: whose vault it opens and whose money it spends; None where that is a user's.
        is_vault_key: it is the vault's own key, an ANY_LLM_KEY, and not one that was issued.
    """

    presented: str = field(repr=False)
    key: VirtualKey | None = None
    project: Project | None = None
    is_vault_key: bool = False

    @property
    def issued_key(self) -> VirtualKey | None:
        """The record in the directory, where there is one."""
        return None if self.is_vault_key else self.key


def presented_credential(headers: Mapping[str, str]) -> str:
    """Find the credential; the first header that is there decides, even when it is malformed.

    Args:
        headers: names in lower case.

    Raises:
        Unauthenticated: no such header, or one that lacks its `Bearer ` prefix.
    """
    for name in BEARER_HEADERS:
        value = headers.get(name)
        if value is not None:
            return _without_scheme(value)
    raw = headers.get(RAW_HEADER)
    if raw is None:
        raise Unauthenticated("Missing X-AnyLLM-Key or Authorization header")
    return raw


def _without_scheme(value: str) -> str:
    if not value.startswith(_SCHEME):
        raise Unauthenticated("Invalid header format. Expected 'Bearer <token>'")
    return value.removeprefix(_SCHEME)
