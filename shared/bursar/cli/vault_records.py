"""Records of a vault, read from the platform API's answers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from bursar.domain.projects import ProviderKey, VaultShare

if TYPE_CHECKING:
    from bursar.cli.gateway import Gateway


def provider_keys_of(gateway: Gateway, project_id: str) -> list[ProviderKey]:
    """All provider keys of a project, archived ones too."""
    path = f"/provider-keys/project/{project_id}?include_archived=true"
    return [_provider_key(each) for each in gateway.ask("GET", path)["data"]]


def provider_key_of(gateway: Gateway, project_id: str, provider: str) -> ProviderKey | None:
    """A project's active key of a provider."""
    for key in provider_keys_of(gateway, project_id):
        if key.provider == provider and key.archived_at is None:
            return key
    return None


def share_of(project_id: str, answer: dict[str, Any]) -> VaultShare:
    made_at = _instant(answer["created_at"])
    return VaultShare(
        answer["holder_id"],
        project_id,
        answer["public_key"],
        answer["sealed"],
        answer["voucher"],
        made_at,
        made_at,
    )


def _provider_key(answer: dict[str, Any]) -> ProviderKey:
    archived_at = answer.get("archived_at")
    return ProviderKey(
        answer["id"],
        answer["project_id"],
        answer["provider"],
        answer["encrypted_key"],
        _instant(answer["created_at"]),
        sealed_to=answer.get("sealed_to"),
        version=answer["version"],
        archived_at=_instant(archived_at) if archived_at else None,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
