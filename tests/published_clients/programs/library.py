"""The published client library, driven by a test: a call in each line of JSON, and its outcome.

A line names a client of this program's, made when it is first mentioned, and one of its methods.
What the library gives a caller as functions, sealing above all, is called in the same way.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from any_llm_platform_client import (  # type: ignore[import-not-found]
    AnyLLMPlatformClient,
    DecryptedProviderKey,
    extract_public_key,
    load_private_key,
    parse_any_llm_key,
)
from any_llm_platform_client.crypto import (  # type: ignore[import-not-found]
    encrypt_data,
    format_any_llm_key,
    generate_keypair,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def generate() -> dict[str, str]:
    """A new key, and what the server gets of it."""
    private_key, _ = generate_keypair()
    return {
        "any_llm_key": format_any_llm_key(private_key),
        "public_key": extract_public_key(private_key),
    }


def seal(text: str, any_llm_key: str) -> str:
    key = load_private_key(parse_any_llm_key(any_llm_key).base64_encoded_private_key)
    sealed: str = encrypt_data(text, key.public_key)
    return sealed


def outcome_of(clients: dict[int, Any], request: dict[str, Any]) -> dict[str, Any]:
    """What a call returned or raised."""
    number = request["client"]
    if number not in clients:
        clients[number] = AnyLLMPlatformClient(
            os.environ["ANY_LLM_PLATFORM_URL"], client_name=request["client_name"]
        )
    try:
        returned = _called(clients[number], request["call"])(*request["args"], **request["kwargs"])
    except Exception as error:  # noqa: BLE001 - the test says what it should be
        return {"raised": type(error).__name__, "says": str(error)}
    if isinstance(returned, DecryptedProviderKey):
        returned = dataclasses.asdict(returned)
    return {"returned": returned}


def _called(client: Any, name: str) -> Callable[..., Any]:
    beside: dict[str, Callable[..., Any]] = {"generate": generate, "seal": seal}
    return beside.get(name) or getattr(client, name)


def main() -> None:
    clients: dict[int, Any] = {}
    for line in sys.stdin:
        outcome = outcome_of(clients, json.loads(line))
        print(json.dumps(outcome, default=str), flush=True)


if __name__ == "__main__":
    main()
