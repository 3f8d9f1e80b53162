"""Passwords that reach the server: stretched at once, and forgotten."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from bursar.domain.errors import InvalidRequest
from bursar.vault import InvalidInput, KdfParameters, WeakParameters, derive

# Each takes 64 MiB and a tenth of a second; more at once would exhaust a small function.
_DERIVATIONS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2id")
_WORK_MAX = 4 * 64 * 1024 * 3
"""KiB times passes, four times the default: half a second of a processor for each sign-in."""


async def login_value_of(password: str, kdf: str) -> str:
    """Derive a login value without stopping everything else meanwhile.

    Raises:
        InvalidRequest: text that no password can be.
    """
    loop = asyncio.get_running_loop()
    parameters = KdfParameters.parse(kdf)
    try:
        keys = await loop.run_in_executor(_DERIVATIONS, derive, password, parameters)
    except InvalidInput:
        raise InvalidRequest("That is no password", param="password") from None
    return keys.login_value


def check_parameters(kdf: str) -> None:
    """Take only parameters that are strong, and that the server can afford itself.

    It derives with them whenever their owner signs in with a published client.

    Raises:
        InvalidRequest: malformed, too weak or too costly.
    """
    try:
        parameters = KdfParameters.parse(kdf)
    except WeakParameters as error:
        raise InvalidRequest(f"Not usable: {error}", param="kdf") from None
    if parameters.memory_kib * parameters.passes > _WORK_MAX:
        raise InvalidRequest(
            "Not usable: memory times passes is more than 768 MiB, what the server can afford",
            param="kdf",
        )
