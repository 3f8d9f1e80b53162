"""Where the dynoxide binary comes from: PATH, an earlier run, or its npm package.

The package is pinned by version and by the SHA-512 that the registry publishes as its integrity,
and nothing of it is unpacked, let alone run, before that digest is checked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bursar.domain.errors import BursarError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "dynoxide"
MEMBER: Final = "package/dynoxide"
NPM_TIMEOUT_S: Final = 120


class NoDynoxide(BursarError):
    """There is no dynoxide to use. The message is the reason, to stand after "because"."""


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """One platform's package. `integrity` is the SHA-512 of its archive in base64."""

    name: str
    version: str
    integrity: str


PACKAGES: Final[Mapping[tuple[str, str], NpmPackage]] = {
    ("linux", "x86_64"): NpmPackage(
        name="@dynoxide/linux-x64",
        version="1.2.1",
        integrity=(
            "sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4X"
            "zEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg=="
        ),
    ),
}
"""By `platform.system()` and `platform.machine()`, in lower case."""


def find_or_fetch(data_dir: Path, environ: Mapping[str, str]) -> Path:
    """The binary, fetched if it is neither on PATH nor there from an earlier run.

    Raises:
        NoDynoxide: it is not there and cannot be fetched.
    """
    installed = shutil.which(NAME, path=environ.get("PATH"))
    if installed:
        return Path(installed)
    folder = _cache_dir(data_dir)
    for candidate in (folder / NAME, data_dir / "bin" / NAME):
        if os.access(candidate, os.X_OK):
            return candidate
    return fetch(package_of_this_machine(PACKAGES), folder, environ)


def _cache_dir(data_dir: Path) -> Path:
    """A checkout keeps one binary for all its data directories; an installed package cannot."""
    root = Path(__file__).resolve().parents[2]
    return (root / ".bursar" if (root / "pyproject.toml").exists() else data_dir) / "bin"


def package_of_this_machine(packages: Mapping[tuple[str, str], NpmPackage]) -> NpmPackage:
    """The package for this system and processor.

    Raises:
        NoDynoxide: none is pinned for them.
    """
    system, machine = platform.system().lower(), platform.machine().lower()
    package = packages.get((system, machine))
    if package is None:
        raise NoDynoxide(f"no dynoxide package is pinned for {system} on {machine}")
    return package


def fetch(package: NpmPackage, folder: Path, environ: Mapping[str, str]) -> Path:
    """Fetch, verify and unpack a package's binary into a folder.

    Raises:
        NoDynoxide: npm is not there or fails, or the archive is not the pinned one.
    """
    npm = shutil.which("npm", path=environ.get("PATH"))
    if npm is None:
        raise NoDynoxide("neither dynoxide nor npm, which could fetch it, is on PATH")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
        archive = _download(npm, package, Path(scratch), environ)
        unpacked = Path(scratch, NAME)
        unpacked.write_bytes(_unpack(package, archive))
        unpacked.chmod(0o755)
        # In one step, so that a second start at the same time sees all of it or nothing.
        return unpacked.replace(folder / NAME)


def _download(npm: str, package: NpmPackage, scratch: Path, environ: Mapping[str, str]) -> bytes:
    specifier = f"{package.name}@{package.version}"
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(scratch)]
    try:
        subprocess.run(  # noqa: S603
            [*command, specifier],
            check=True,
            capture_output=True,
            timeout=NPM_TIMEOUT_S,
            env=dict(environ),
            cwd=scratch,
        )
    except (OSError, subprocess.SubprocessError) as failure:
        raise NoDynoxide(f"npm could not fetch {specifier}") from failure
    archives = list(scratch.glob("*.tgz"))
    if len(archives) != 1:
        raise NoDynoxide(f"npm made no archive of {specifier}")
    return archives[0].read_bytes()


def _unpack(package: NpmPackage, archive: bytes) -> bytes:
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if not hmac.compare_digest(digest, package.integrity):
        raise NoDynoxide(
            f"the archive of {package.name}@{package.version} is not the pinned one, "
            "so it was not unpacked"
        )
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        try:
            binary = tar.extractfile(MEMBER)
        except KeyError:
            binary = None
        if binary is None:
            raise NoDynoxide(f"{package.name}@{package.version} has no {MEMBER}")
        return binary.read()
