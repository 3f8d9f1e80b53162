"""What a new gateway on one machine needs: a master key, prices, and a first virtual key.

The two keys are kept in a file that only its owner can read, so that the next start prints them
again. A gateway that is given its master key keeps only the virtual one there.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING

from bursar.bootstrap import utc_now
from bursar.domain.errors import WrongSetting
from bursar.domain.keys import digest_of
from bursar.domain.pricing import Price
from bursar.services.admin_keys import KeyRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from bursar.ports import Directory
    from bursar.services.administration import AdminServices

_FILE = "credentials.json"
_OWNER_ONLY = 0o600
MOCK_MODEL = "mock:hello"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys that were made on this machine, in plain text."""

    master_key: str | None = field(default=None, repr=False)
    virtual_key: str | None = field(default=None, repr=False)


def load_credentials(data_dir: Path) -> Credentials:
    """Read the file, if there is one.

    Raises:
        WrongSetting: it is damaged.
    """
    path = data_dir / _FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Credentials(content.get("master_key"), content.get("virtual_key"))
    except FileNotFoundError:
        return Credentials()
    except (ValueError, AttributeError):
        raise WrongSetting(
            f"{path} is damaged: restore it, or delete it and set BURSAR_MASTER_KEY"
        ) from None


def save_credentials(data_dir: Path, credentials: Credentials) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    path = data_dir / _FILE
    draft = path.with_suffix(".new")
    content = {"master_key": credentials.master_key, "virtual_key": credentials.virtual_key}
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
    draft.replace(path)


def new_master_key() -> str:
    return "bursar-master-" + secrets.token_urlsafe(32)


async def ensure_virtual_key(services: AdminServices, known: str | None) -> str | None:
    """The first virtual key: the known one if it still works, a new one if there is none at all.

    None means that there are others, whose text nobody has.
    """
    if known is not None:
        key_id = await services.directory.key_id_of(digest_of(known))
        if key_id is not None:
            return known
    if await services.directory.keys.page(skip=0, limit=1):
        return None
    wanted = KeyRequest(key_name="bootstrap", metadata={"bootstrap": True})
    return (await services.keys.create(wanted)).virtual_key


async def add_mock_price(directory: Directory, providers: Collection[str]) -> None:
    """Price the mock, if it is there and has no price; the catalogue prices the others."""
    if MOCK_MODEL.partition(":")[0] in providers:
        now = utc_now()
        await directory.prices.add(Price(MOCK_MODEL, Decimal("0.5"), Decimal("1.5"), now, now))


def first_model(
    providers: Collection[str], configured: Iterable[str] = (), *, has_catalogue: bool = True
) -> str | None:
    """A model to try: a real provider's cheapest if there is one, else the mock's, else none.

    Args:
        configured: models with prices of their own.
        has_catalogue: well-known models have a price without.
    """
    known = _well_known() if has_catalogue else []
    for model in (*configured, *known, MOCK_MODEL):
        if model.partition(":")[0] in providers and "embedding" not in model:
            return model
    return None


def _well_known() -> list[str]:
    content = json.loads(files(__package__).joinpath("first_models.json").read_text("utf-8"))
    models: list[str] = content["models"]
    return models
