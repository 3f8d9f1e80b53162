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


AUDIENCE = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/aws"


def federation_file(**others: object) -> str:
    """The configuration file of a trust in an AWS role, as `gcloud` writes it."""
    file = {
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
        "token_url": "https://attacker.example/token",
        "credential_source": {
            "environment_id": "aws1",
            "regional_cred_verification_url": "https://attacker.example/{region}",
        },
        **others,
    }
    return json.dumps(file)


SERVICE_ACCOUNT = key_file("-----BEGIN PRIVATE KEY-----\nbm8ga2V5\n-----END PRIVATE KEY-----\n")
"""A key file that looks right, for tests in which nothing is signed."""
