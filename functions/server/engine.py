"""The DynamoDB engine of a run on one machine: found, fetched or made up, in that order.

1. `DYNAMODB_ENDPOINT`: an engine that is already there.
2. dynoxide, a binary on `PATH`, of an earlier run, or from its npm package: durable, on a file.
3. moto, in this process and in memory, with a notice that nothing is kept.

The table is not made here; the store makes its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from bursar.domain.errors import StoreUnavailable, WrongSetting
from functions.server.answering import wait_until_it_answers
from functions.server.dynoxide import DATABASE, open_dynoxide
from functions.server.dynoxide_binary import NoDynoxide, find_or_fetch
from functions.server.moto_engine import start_moto

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENDPOINT_SETTING: Final = "DYNAMODB_ENDPOINT"

EXTERNAL_TIMEOUT_S: Final = 15.0
"""How long an engine that starts at the same time, as in compose.yaml, may take to answer."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A DynamoDB API to talk to.

    Attributes:
        endpoint: its URL.
        name: which engine it is; `external` is one that was there before.
        durable: whether what is written outlives this process.
        notice: one line for whoever started the gateway, or None.
        stop: ends the engine if this run started it and no other run uses it. Blocking.
    """

    endpoint: str
    name: Literal["dynoxide", "moto", "external"]
    durable: bool
    notice: str | None
    stop: Callable[[], None]


def open_engine(data_dir: Path, environ: Mapping[str, str]) -> Engine:
    """Open the best engine there is, which answers when this returns. Blocking.

    Args:
        data_dir: where a durable engine keeps its file; made when it is missing.
        environ: the environment that names an endpoint and the places of tools.

    Raises:
        WrongSetting: `DYNAMODB_ENDPOINT` is not a URL, or nothing answers there.
        StoreUnavailable: there is data of an earlier run and no engine that opens it, or no engine.
    """
    endpoint = environ.get(ENDPOINT_SETTING, "").strip()
    if endpoint:
        return _external(endpoint)
    try:
        process = open_dynoxide(find_or_fetch(data_dir, environ), data_dir, environ)
    except NoDynoxide as reason:
        return _in_memory(reason.message, data_dir)
    return Engine(process.endpoint, "dynoxide", durable=True, notice=None, stop=process.stop)


def _external(endpoint: str) -> Engine:
    url = urlsplit(endpoint)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise WrongSetting(
            f"{ENDPOINT_SETTING} is not a URL of the form http://host:port; "
            "correct it, or unset it to use the embedded engine"
        )
    if not wait_until_it_answers(endpoint, EXTERNAL_TIMEOUT_S):
        raise WrongSetting(
            f"{ENDPOINT_SETTING} names {url.hostname}, where nothing answered within "
            f"{EXTERNAL_TIMEOUT_S:.0f} s; start that engine, or unset it to use the embedded one"
        )
    return Engine(endpoint, "external", durable=True, notice=None, stop=_leave_it_running)


def _leave_it_running() -> None:
    """Stop nothing: who started that engine stops it."""


def _in_memory(reason: str, data_dir: Path) -> Engine:
    if (data_dir / DATABASE).exists():
        # Starting empty would look like having lost every key.
        raise StoreUnavailable(
            f"{data_dir / DATABASE} holds an earlier run's data and dynoxide cannot open it, "
            f"because {reason}"
        )
    endpoint, stop = start_moto()
    notice = (
        f"Nothing is kept: this run's data is in memory and ends with it, because {reason}. "
        f"Put dynoxide on PATH or set {ENDPOINT_SETTING} to keep it."
    )
    return Engine(endpoint, "moto", durable=False, notice=notice, stop=stop)
