"""`python -m functions.server`: the whole gateway in one process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import uvicorn
import uvloop

from bursar.domain.errors import BursarError, WrongSetting
from bursar.settings import load_settings
from bursar.telemetry.logs import configure_logs
from functions.server.engine import open_engine
from functions.server.first_run import load_credentials
from functions.server.start import prepare

if TYPE_CHECKING:
    from bursar.settings import Settings
    from functions.server.engine import Engine

_DRAIN_S = 30
_BACKLOG = 2_048


class _Server(uvicorn.Server):
    """Says what it has to say once it accepts requests."""

    greeting = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self.greeting, flush=True)  # noqa: T201 (this is for the terminal)


def main() -> int:
    """Start, serve until a signal comes, and stop everything that was started."""
    # From here on both signals are one exception, which ends a start half way as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        settings = load_settings(os.environ)
        configure_logs(settings.log_level)
        with _listen(settings) as listening:
            engine = _open(settings)
            try:
                _run(settings, engine, listening)
            finally:
                engine.stop()
    except BursarError as error:
        print(f"bursar: {error.message}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _run(settings: Settings, engine: Engine, listening: socket.socket) -> None:
    """Serve until a signal: uvicorn drains, restores the handlers and raises the signal again."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, engine, listening))


def _open(settings: Settings) -> Engine:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongSetting(
            f"BURSAR_DATA_DIR: cannot make {settings.data_dir}: {error.strerror}"
        ) from None
    return open_engine(settings.data_dir, os.environ)


def _listen(settings: Settings) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise WrongSetting(
            f"BURSAR_PORT: cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "stop what listens there, or set BURSAR_PORT or BURSAR_HOST to another"
        ) from None


async def _serve(settings: Settings, engine: Engine, listening: socket.socket) -> None:
    started = await prepare(settings, engine, load_credentials(settings.data_dir), os.environ)
    server = _Server(
        uvicorn.Config(
            started.app,
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=_DRAIN_S,
        )
    )
    server.greeting = started.greeting
    await server.serve(sockets=[listening])


if __name__ == "__main__":
    sys.exit(main())
