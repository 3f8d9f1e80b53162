"""How the process ends: an exit code, and what went wrong as a sentence or as JSON.

Where data is asked for as JSON, an error is JSON as well, on standard error:

{"error": {"message": "…", "exit_code": 3, "status": 404, "request_id": "…"}}
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from bursar.cli.failures import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# A shell's codes for what a signal ended: 128 and the signal's number.
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
_AS_JSON: Final = ("json", "jsonl")


def end_by(run: Callable[[], Any], arguments: Sequence[str]) -> NoReturn:
    """Run a command and end the process as it went; nothing but faults show a traceback.

    Args:
        run: returns nothing for success, or the exit code that it wants.
        arguments: the command line, which says how errors are written.
    """
    try:
        code = run()
        # What cannot be written shows here and not while the interpreter is on its way out.
        sys.stdout.flush()
    except click.ClickException as error:
        code = _failed(error, arguments)
    except click.Abort as error:
        code = _aborted(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = PIPE_CLOSED
        _close_quietly()
    except OSError as error:
        # A file or a folder that is not what it should be, or a disk that is full.
        where = "" if error.filename is None else f"{error.filename}: "
        code = _failed(Failed(f"{where}{error.strerror or error}"), arguments)
    sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def until_nobody_reads() -> Iterator[None]:
    """End as SIGPIPE would where the output is not read on; click would call it an error."""
    try:
        yield
    except BrokenPipeError:
        _close_quietly()
        raise click.exceptions.Exit(PIPE_CLOSED) from None


def is_json(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Tell whether errors are JSON, also where the command line is wrong in another place."""
    kind = environ.get("BURSAR_OUTPUT", "")
    words = list(arguments)
    for number, word in enumerate(words):
        if word == "--":
            break
        if word in ("-o", "--output"):
            kind = "".join(words[number + 1 : number + 2])
        elif word.startswith("--output="):
            kind = word.partition("=")[2]
        elif word.startswith("-o") and not word.startswith("--"):
            kind = word[2:].removeprefix("=")
    return kind in _AS_JSON


def as_json(error: click.ClickException) -> str:
    """An error as a line of JSON; what is unknown is left out."""
    known = {
        "message": getattr(error, "detail", None) or error.format_message(),
        "exit_code": error.exit_code,
        "status": getattr(error, "status", None),
        "request_id": getattr(error, "request_id", None),
    }
    return json.dumps({"error": {name: it for name, it in known.items() if it is not None}})


def _failed(error: click.ClickException, arguments: Sequence[str]) -> int:
    """Say what went wrong; the exit code for it."""
    if is_json(arguments, os.environ):
        click.echo(as_json(error), err=True)
    else:
        error.show()
    return error.exit_code


def _aborted(error: click.Abort) -> int:
    """Ctrl-C ends as a signal does; Ctrl-D or a question answered with no is an error."""
    is_interrupt = isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)
    if not is_interrupt:
        click.echo("Nothing was done", err=True)
    return INTERRUPTED if is_interrupt else 1


def _close_quietly() -> None:
    """Let the interpreter flush into nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
