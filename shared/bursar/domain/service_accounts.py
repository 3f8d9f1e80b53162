"""Credentials of Google Cloud: a service account's key file, or a trust in somebody else's word."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

_IMPERSONATED: Final = re.compile(r"/serviceAccounts/([^/:@]+@[A-Za-z0-9.-]+):generateAccessToken$")
_FROM_AWS: Final = "urn:ietf:params:aws:token-type:aws4_request"


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


@dataclass(frozen=True, slots=True)
class FederatedAccount:
    """What a Google Cloud project lets an AWS role do, by workload identity federation.

    Its configuration file holds no secret: the role is what is trusted.

    Attributes:
        audience: names the pool and the provider of identities.
        impersonated: the email of the service account that the role acts as; None for itself.
    """

    audience: str
    impersonated: str | None = None


def parse_service_account(text: str) -> ServiceAccount:
    """Read a key file's content.

    Raises:
        ValueError: it is none; the message holds nothing of it.
    """
    found = _object(text)
    if found is None or found.get("type") != "service_account":
        raise ValueError("is not the JSON key file of a service account")
    email, key, project = (found.get(it) for it in ("client_email", "private_key", "project_id"))
    if not isinstance(email, str) or not isinstance(key, str):
        raise ValueError("has no client_email or no private_key")  # noqa: TRY004 (one kind of error)
    return ServiceAccount(email, key, project if isinstance(project, str) else None)


def parse_credentials(text: str) -> ServiceAccount | FederatedAccount:
    """Read a key file, or the configuration file of a trust in AWS.

    Raises:
        ValueError: it is neither; the message holds nothing of it.
    """
    found = _object(text)
    if found is None or found.get("type") != "external_account":
        return parse_service_account(text)
    audience, url = found.get("audience"), found.get("service_account_impersonation_url")
    if found.get("subject_token_type") != _FROM_AWS or not isinstance(audience, str):
        raise ValueError("is a trust in something else than an AWS role")
    if url is None:
        return FederatedAccount(audience)
    impersonated = _IMPERSONATED.search(str(url))
    if impersonated is None:
        raise ValueError("has a service_account_impersonation_url that names no service account")
    return FederatedAccount(audience, impersonated[1])


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
