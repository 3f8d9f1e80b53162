"""Microsoft Entra ID: a client's secret is exchanged for a token of Azure's AI services."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from bursar.upstream.authorization.exchange import ExchangeScheme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.upstream import Authorization

_AUTHORITY = "https://login.microsoftonline.com"


class AzureScheme(ExchangeScheme):
    """The client credentials flow of the Microsoft identity platform, version 2."""

    def url(self, authorization: Authorization) -> str:
        tenant = quote(authorization.parameters.get("tenant_id", ""), safe="")
        return f"{_AUTHORITY}/{tenant}/oauth2/v2.0/token"

    def fields(self, authorization: Authorization, url: str) -> Mapping[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": authorization.parameters.get("client_id", ""),
            "client_secret": authorization.secret or "",
            "scope": "https://cognitiveservices.azure.com/.default",
        }
