"""Profiles: gateways by name, in a file of the user's config directory; no secret is in it.

default = "dev"

[profiles.dev]
url = "http://127.0.0.1:8000"

[profiles.prod]
stack = "bursar-prod"
region = "eu-central-1"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bursar.cli.failures import NOT_FOUND, Failed
from bursar.cli.private_file import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a gateway is; one of `url` and `stack`, or both where the URL is not the stack's own.

    Attributes:
        url: its root.
        stack: the CloudFormation stack that it is deployed by.
        region: the stack's; None for the AWS configuration's own.
        aws_profile: the profile of the AWS configuration to ask it with.
        user: whom `bursar chat` spends for, where it has to make a key.
        model: what `bursar chat` tries, where none is named.
    """

    url: str | None = None
    stack: str | None = None
    region: str | None = None
    aws_profile: str | None = None
    user: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Profiles:
    """All that is known, and which one is meant where none is named."""

    by_name: Mapping[str, Profile]
    default: str | None = None

    def named(self, name: str) -> Profile:
        """Raises Failed where there is none of that name."""
        if name not in self.by_name:
            known = ", ".join(sorted(self.by_name)) or "none yet"
            raise Failed(f"There is no profile {name!r} (there are: {known})", NOT_FOUND)
        return self.by_name[name]

    def having(self, name: str, profile: Profile) -> Profiles:
        """The same with one more, which becomes the default."""
        return replace(self, by_name={**self.by_name, name: profile}, default=name)

    def without(self, name: str) -> Profiles:
        """The same with one less; another is the default then only where it is the last one."""
        left = {other: row for other, row in self.by_name.items() if other != name}
        last = next(iter(left)) if len(left) == 1 else None
        return Profiles(left, last if self.default == name else self.default)


def config_folder() -> Path:
    configured = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(configured) if configured else Path.home() / ".config"
    return folder / "bursar"


def read_profiles() -> Profiles:
    """Read the file; none is no profiles.

    Raises:
        Failed: it cannot be read.
    """
    path = config_folder() / "config.toml"
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        return _profiles_in(document)
    except FileNotFoundError:
        return Profiles({})
    except ValueError as error:
        raise Failed(f"{path} cannot be read ({error}): correct or remove it") from None


def _profiles_in(document: Mapping[str, Any]) -> Profiles:
    """Raises ValueError where a file says something else than it may."""
    rows, default = document.get("profiles", {}), document.get("default")
    if not isinstance(rows, dict) or not isinstance(default, str | None):
        raise ValueError("`profiles` are tables, and `default` is the name of one")  # noqa: TRY004
    known = {each.name for each in fields(Profile)}
    for name, row in rows.items():
        if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
            raise ValueError(f"profile {name} has something else than texts")
        if not known.issuperset(row):
            unknown = ", ".join(sorted(set(row) - known))
            raise ValueError(f"profile {name} has {unknown}, which none has")
    return Profiles({name: Profile(**row) for name, row in rows.items()}, default)


def write_profiles(profiles: Profiles) -> None:
    # Reading takes the standard library, writing does not: only who writes imports it.
    import tomli_w  # noqa: PLC0415

    document: dict[str, Any] = {}
    if profiles.default is not None:
        document["default"] = profiles.default
    document["profiles"] = {
        name: dict(_given(asdict(row).items())) for name, row in profiles.by_name.items()
    }
    write_private(config_folder() / "config.toml", tomli_w.dumps(document))


def _given(items: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    return ((name, value) for name, value in items if value is not None)
