"""`python -m infra.prices`, which `make prices` runs: refresh the catalogue of prices.

Exit codes: 0 nothing changed, 1 something went wrong, 2 something changed (and was written, unless
it was declined or `--check` only looked).

What looks like a mistake of the sources (a rate that falls to nothing or jumps, a provider that
loses its models) is not taken by `--yes` alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.prices import files, packages
from infra.prices.difference import difference, summary
from infra.prices.doubts import doubtful
from infra.prices.limits import Limits, extracted
from infra.prices.supplement import Supplement, supplemented

if TYPE_CHECKING:
    from infra.prices.compiling import Shard

_SAME, _FAILED, _CHANGED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Fetched:
    """Public data, and which versions they are."""

    providers: Sequence[Any]
    limits: Limits
    supplement: Supplement
    genai_prices: str
    litellm: str

    @property
    def from_litellm(self) -> tuple[str, Limits, Supplement]:
        return self.litellm, self.limits, self.supplement

    @property
    def versions(self) -> dict[str, str]:
        return {packages.GENAI_PRICES: self.genai_prices, packages.LITELLM: self.litellm}


def main() -> int:
    """Compile, show the difference, and write what is taken."""
    given = _arguments()
    try:
        fetched = _pinned() if given.check else _newest(given)
        index = files.load_index()
        day = given.date or (_day_of(index) if given.check else datetime.now(UTC).date())
        shards, wanted = _compiled(fetched, day)
    except (subprocess.CalledProcessError, FileNotFoundError, LookupError, ValueError) as failed:
        return _refused(str(failed))
    known = files.load_shards()
    lines, doubts = difference(known, shards), doubtful(known, shards)
    _show(lines, doubts, summary(known, shards))
    if given.check:
        return _SAME if files.found() == wanted else _CHANGED
    if not lines and index.get("sources") == fetched.versions:
        return _SAME
    if given.yes and doubts and not given.accept_doubtful:
        return _refused("nothing was taken: look at what is doubtful, then --accept-doubtful")
    if given.yes or _agreed():
        files.save(wanted)
        files.LIMITS.write_bytes(files.written_limits(*fetched.from_litellm))
    return _CHANGED


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.prices", description=__doc__)
    parser.add_argument("--genai-prices", metavar="VERSION", help="not the newest release")
    parser.add_argument("--litellm", metavar="VERSION", help="not the newest release")
    parser.add_argument("--date", type=date.fromisoformat, help="the catalogue's day; today's")
    parser.add_argument("--yes", action="store_true", help="take what changed without asking")
    parser.add_argument(
        "--accept-doubtful", action="store_true", help="let --yes take what looks like a mistake"
    )
    parser.add_argument(
        "--check", action="store_true", help="only tell whether the pinned versions compile to it"
    )
    return parser.parse_args()


def _newest(given: argparse.Namespace) -> Fetched:
    with tempfile.TemporaryDirectory() as folder:
        release, providers = packages.providers_of(given.genai_prices, Path(folder))
        litellm, listed = packages.listed_by_litellm(given.litellm, Path(folder))
        return Fetched(providers, extracted(listed), supplemented(listed), release, litellm)


def _pinned() -> Fetched:
    """What this environment has, without the network."""
    release = packages.installed_version()
    if release is None:
        raise LookupError(f"{packages.GENAI_PRICES} is not installed here")
    from genai_prices.data import providers  # noqa: PLC0415 (only where it is installed)

    litellm, limits, supplement = files.load_limits()
    return Fetched(providers, limits, supplement, release, litellm)


def _compiled(fetched: Fetched, day: date) -> tuple[dict[str, Shard], dict[str, bytes]]:
    """The shards, and the files that they become."""
    # It imports the classes of the release that was fetched, which is on the path from then on.
    from infra.prices.compiling import compiled, index_of  # noqa: PLC0415

    shards = compiled(fetched.providers, fetched.limits, fetched.supplement, day)
    index = {"sources": fetched.versions, **index_of(shards, day)}
    return shards, files.written(shards, index)


def _day_of(index: dict[str, Any]) -> date:
    return date.fromisoformat(index["date"])


def _show(lines: list[str], doubts: list[str], total: str) -> None:
    if not lines:
        print("No price, limit or name changed")  # noqa: T201
        return
    for line in (*lines, "", total):
        print(line)  # noqa: T201
    if doubts:
        print(f"\nDoubtful, and perhaps a mistake of the sources ({len(doubts)}):")  # noqa: T201
    for doubt in doubts:
        print(f"! {doubt}")  # noqa: T201


def _refused(why: str) -> int:
    print(f"prices: {why}", file=sys.stderr)  # noqa: T201
    return _FAILED


def _agreed() -> bool:
    try:
        return input("Take it? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


if __name__ == "__main__":
    sys.exit(main())
