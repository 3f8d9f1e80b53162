"""Service accounts of Google Cloud, as their key files describe them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who a key file is for.

    The file's `token_uri` is not among it: a key that a project brings must not choose where the
    gateway sends anything.

    Attributes:
        email: names the account.
        private_key: PEM, PKCS #8.
        project_id: the account's own project, if the file names it.
    """

    email: str
    private_key: str = field(repr=False)
    project_id: str | None = None


def parse_service_account(text: str) -> ServiceAccount:
    """Read a key file's content.

    Raises:
        ValueError: it is none; the message holds nothing of it.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("type") != "service_account":
        raise ValueError("is not the JSON key file of a service account")
    email, key, project = (found.get(it) for it in ("client_email", "private_key", "project_id"))
    if not isinstance(email, str) or not isinstance(key, str):
        raise ValueError("has no client_email or no private_key")  # noqa: TRY004 (one kind of error)
    return ServiceAccount(email, key, project if isinstance(project, str) else None)
