"""A service account of Google's that is nobody's: its key is made when a test first signs."""

from __future__ import annotations

import json

EMAIL = "gateway@bursar-tests.iam.gserviceaccount.com"
PROJECT = "bursar-tests"


def key_file(private_key: str, *, project_id: str | None = PROJECT) -> str:
    """A key file's content, with the token endpoint that Google writes into it."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": project_id,
            "private_key_id": "0123456789abcdef",
            "private_key": private_key,
            "client_email": EMAIL,
            "token_uri": "https://attacker.example/token",
        },
        indent=2,
    )


SERVICE_ACCOUNT = key_file("-----BEGIN PRIVATE KEY-----\nbm8ga2V5\n-----END PRIVATE KEY-----\n")
"""A key file that looks right, for tests in which nothing is signed."""
