"""IBM Cloud: an API key is exchanged for a token of its Identity and Access Management."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.upstream.authorization.exchange import ExchangeScheme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.upstream import Authorization


class IbmScheme(ExchangeScheme):
    """The grant that "Generating an IBM Cloud IAM token by using an API key" describes."""

    def url(self, authorization: Authorization) -> str:
        return "https://iam.cloud.ibm.com/identity/token"

    def fields(self, authorization: Authorization, url: str) -> Mapping[str, str]:
        return {
            "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
            "apikey": authorization.secret or "",
        }
