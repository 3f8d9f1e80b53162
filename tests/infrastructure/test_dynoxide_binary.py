"""What is fetched is verified before it is unpacked, and what is there is not fetched again."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import platform
import re
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from functions.server.dynoxide_binary import (
    PACKAGES,
    NoDynoxide,
    NpmPackage,
    fetch,
    find_or_fetch,
    package_of_this_machine,
)

if TYPE_CHECKING:
    from pathlib import Path

BINARY = b"#!/bin/sh\necho a made-up engine\n"


def archive_of(member: str, content: bytes = BINARY) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(member)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def package_of(archive: bytes) -> NpmPackage:
    integrity = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    return NpmPackage("@made-up/engine", "1.0.0", integrity)


def npm_that_delivers(archive: bytes, folder: Path) -> dict[str, str]:
    """An environment whose npm writes this archive where `npm pack` is told to."""
    folder.mkdir()
    (folder / "archive").write_bytes(archive)
    npm = folder / "npm"
    npm.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, shutil, sys\n"
        "place = pathlib.Path(sys.argv[sys.argv.index('--pack-destination') + 1])\n"
        f"shutil.copy({str(folder / 'archive')!r}, place / 'engine-1.0.0.tgz')\n"
    )
    npm.chmod(0o755)
    return {"PATH": str(folder)}


def test_the_pinned_archive_is_unpacked_and_can_be_run(tmp_path: Path) -> None:
    archive = archive_of("package/dynoxide")
    environ = npm_that_delivers(archive, tmp_path / "tools")

    binary = fetch(package_of(archive), tmp_path / "bin", environ)

    assert binary.read_bytes() == BINARY
    assert os.access(binary, os.X_OK)
    assert list((tmp_path / "bin").iterdir()) == [binary]


def test_another_archive_than_the_pinned_one_is_not_unpacked(tmp_path: Path) -> None:
    environ = npm_that_delivers(archive_of("package/dynoxide", b"evil"), tmp_path / "tools")

    with pytest.raises(NoDynoxide, match="not the pinned one, so it was not unpacked"):
        fetch(package_of(archive_of("package/dynoxide")), tmp_path / "bin", environ)

    assert list((tmp_path / "bin").iterdir()) == []


def test_an_archive_without_the_binary_is_refused(tmp_path: Path) -> None:
    archive = archive_of("package/other")
    environ = npm_that_delivers(archive, tmp_path / "tools")
    with pytest.raises(NoDynoxide, match="has no package/dynoxide"):
        fetch(package_of(archive), tmp_path / "bin", environ)


def test_an_npm_that_fails_is_the_reason_given(tmp_path: Path) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nexit 1\n")
    npm.chmod(0o755)
    with pytest.raises(NoDynoxide, match=r"npm could not fetch @made-up/engine@1\.0\.0"):
        fetch(package_of(b""), tmp_path / "bin", {"PATH": str(tmp_path)})


def test_without_npm_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(NoDynoxide, match="neither dynoxide nor npm"):
        fetch(package_of(b""), tmp_path / "bin", {"PATH": str(tmp_path)})


def test_a_machine_without_a_pinned_package_is_named() -> None:
    with pytest.raises(NoDynoxide, match=re.escape(platform.machine().lower())):
        package_of_this_machine({})


def test_a_binary_on_path_comes_first(tmp_path: Path) -> None:
    for place in ("path", "data/bin"):
        binary = tmp_path / place / "dynoxide"
        binary.parent.mkdir(parents=True)
        binary.touch(mode=0o755)
    found = find_or_fetch(tmp_path / "data", {"PATH": str(tmp_path / "path")})
    assert found == tmp_path / "path" / "dynoxide"


def test_every_pinned_package_has_a_whole_digest() -> None:
    for package in PACKAGES.values():
        assert len(base64.b64decode(package.integrity, validate=True)) == 64
